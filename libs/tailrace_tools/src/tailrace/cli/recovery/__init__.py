"""Commands that back up, restore, and mend the way from outbox to topic."""
