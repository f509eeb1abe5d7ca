"""What clients are shown."""
