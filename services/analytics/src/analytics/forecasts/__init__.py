"""What is to come of a measure: its series, the method, and how wrong that would have been."""
