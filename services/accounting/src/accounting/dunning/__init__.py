"""Reminding customers of what is overdue: when, in which words, for which fee, and each level once."""
