"""Quotes: what was offered to whom, at what price, until when, and how that ended."""
