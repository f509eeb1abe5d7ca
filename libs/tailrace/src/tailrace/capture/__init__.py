"""The way from outbox to topic, watched and mended: slots, connectors and canaries, on any PostgreSQL, Kafka and Connect."""
