"""What customers owe, as of any day: open items, ageing, statements of account."""
