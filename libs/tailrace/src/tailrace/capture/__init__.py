"""The way from a service's outbox to its topic: set up, watched, repaired."""
