"""What notifications offer by HTTP."""
