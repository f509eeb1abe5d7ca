"""What was moved out of the database, taken away, and had back."""
