"""What follows from the manifests, written to files."""
