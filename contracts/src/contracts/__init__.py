"""The events that each Tailrace context publishes: one module per owner, imported by whoever publishes or listens.

Change a published event by adding optional fields only; anything else is a new version beside the old one.
"""
