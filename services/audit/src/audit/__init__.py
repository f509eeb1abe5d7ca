"""Audit: every event and every access in a signed log for each company, and the graph of causes and effects over it."""
