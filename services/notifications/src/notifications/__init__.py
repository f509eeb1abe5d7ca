"""Notifications: what people must hear, and by which ways."""
