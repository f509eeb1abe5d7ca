"""Leads and opportunities: who might buy, what may come of it, and what did."""
