"""Each service's Debezium connector, derived from its manifest: it reads the outbox and nothing else."""
