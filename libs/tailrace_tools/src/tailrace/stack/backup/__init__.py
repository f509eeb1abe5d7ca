"""Backups of the embedded stack: whole copies, the write-ahead log from one to the next, and moments to go back to."""
