"""Commands for events that a consumer has set aside."""
