"""How quickly the rows of reports are built."""
