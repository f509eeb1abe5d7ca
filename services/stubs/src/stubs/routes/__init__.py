"""What the stand-ins answer: as partners, and to who switches their failures."""
