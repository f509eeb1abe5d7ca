"""The lake: every movement once more, in an open table format, for wide questions and for readers outside."""
