"""Routes that are declared: lists with filters and cursors, master data, parts of a root."""
