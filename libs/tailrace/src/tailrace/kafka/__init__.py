"""Kafka as a client sees it: envelopes, readers, and the faults of connections."""
