"""A month of two companies, through the gateway: generated from a seed, dated day by day, and reckoned from the log of its requests."""
