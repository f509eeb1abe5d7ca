"""From a service's outbox to its topic: connectors and slots, set up, watched, repaired."""
