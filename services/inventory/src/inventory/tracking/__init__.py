"""Where lots are and went, what quality says of them, and who waits for what."""
