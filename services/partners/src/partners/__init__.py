"""Partners: systems outside that hear of a company's events, on topics of their own."""
