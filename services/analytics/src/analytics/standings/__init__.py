"""How each kind of document stands after each of its events, and which measures it counts in."""
