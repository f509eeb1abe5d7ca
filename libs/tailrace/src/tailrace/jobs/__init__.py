"""Long work in small steps: asked for over HTTP, done in the consumer's process, and gone on with after a crash."""
