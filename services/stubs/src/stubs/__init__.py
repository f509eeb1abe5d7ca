"""Stand-ins for a company's partners: a carrier, a tax rate service, a mail server, a bank, and who checks tax ids."""
