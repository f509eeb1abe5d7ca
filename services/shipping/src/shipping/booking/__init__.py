"""Carriers are asked to take shipments, told to leave them, and asked where they are."""
