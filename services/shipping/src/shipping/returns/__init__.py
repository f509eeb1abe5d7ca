"""Goods that customers send back: expected, received, looked at."""
