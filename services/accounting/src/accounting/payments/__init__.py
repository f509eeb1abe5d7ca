"""Money that came in: on which account, whose it is, and for which invoices."""
