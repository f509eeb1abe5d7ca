"""What a document costs: the copies of items, units, price lists and tax codes that pricing goes by, and the rules themselves."""
