"""Finding rows by what people write."""
