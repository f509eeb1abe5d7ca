"""Orders that reach the books, beside Tryton: see `__main__`."""
