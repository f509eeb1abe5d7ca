"""Money that goes back to customers: what came in, is for no invoice, and is paid out again."""
