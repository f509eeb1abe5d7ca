"""Customers, from their creation until they are retired."""
