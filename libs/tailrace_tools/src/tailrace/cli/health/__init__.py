"""Commands that say how a fleet is, here or elsewhere."""
