"""The facts that each Tailrace context publishes: one module per owner, imported by whoever publishes or listens.

Change a published fact by adding optional fields only; anything else is a new version beside the old one.
"""
