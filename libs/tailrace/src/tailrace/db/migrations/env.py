"""Alembic's entry: runs on the connection that `tailrace.runtime.migrate` hands over, for the kit's tables and for a service's own."""

from alembic import context

config = context.config
context.configure(
    connection=config.attributes["connection"],
    target_metadata=config.attributes["metadata"],
    version_table=config.attributes["version_table"],
    transaction_per_migration=True,
)
context.run_migrations()
