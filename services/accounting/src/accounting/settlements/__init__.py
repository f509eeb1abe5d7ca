"""Returns in the books: what goods were sold for that came back is taken back, whether it was invoiced or not."""
