"""How quickly timelines are built, and how long a page of one takes."""
