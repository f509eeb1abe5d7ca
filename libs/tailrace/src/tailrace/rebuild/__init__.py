"""Read models built again aside, compared, and put in place with their marks."""
