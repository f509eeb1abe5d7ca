"""What customers give back: asked for, authorised, and followed until it is settled."""
