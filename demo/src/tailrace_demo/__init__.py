"""The main job: three companies trade for a while, through the gateway alone, and the books are checked against the log of requests."""
