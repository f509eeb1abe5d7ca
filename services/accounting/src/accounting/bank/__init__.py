"""Statements of banks: read from files, line by line, and matched with what customers owe."""
