"""What is the same for every request: reading it strictly, letting it in, and refusing it."""
