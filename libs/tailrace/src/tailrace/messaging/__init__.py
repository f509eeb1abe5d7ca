"""From a topic to an effect: who listens, how far each has come, what could not be applied."""
