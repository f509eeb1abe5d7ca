"""How long a screen takes beside the slowest of the reads that it is made of."""
