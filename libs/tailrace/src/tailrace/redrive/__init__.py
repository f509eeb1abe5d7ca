"""Dead letters applied later, or dropped, with a record of both."""
