"""A service's own database: transactions of one tenant, aggregates and event streams, and the outbox that they write."""
