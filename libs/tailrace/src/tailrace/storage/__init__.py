"""Files: one port to the store that holds them, attachments that belong to what a service keeps, and the routes for both directions."""
