"""The events that each Tailrace context publishes: one module per owner, imported by the services that publish or listen.

Change a published event by adding optional fields only; anything else is a new version beside the old one.
"""
