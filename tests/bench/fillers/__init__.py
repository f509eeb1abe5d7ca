"""How long events are on their way through the filters of partners, and what is left of them when those are killed."""
