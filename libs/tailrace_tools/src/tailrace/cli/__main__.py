"""`python -m tailrace.cli`: the same command line, by the interpreter it belongs to."""

from tailrace.cli import app

app()
