"""What a connection to PostgreSQL says before anything is asked on it."""
