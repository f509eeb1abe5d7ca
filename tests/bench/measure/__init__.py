"""What the platform costs and how quick it is, on a stack of its own: `make bench`."""
