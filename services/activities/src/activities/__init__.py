"""Activities: the meetings and tasks of those who sell."""
