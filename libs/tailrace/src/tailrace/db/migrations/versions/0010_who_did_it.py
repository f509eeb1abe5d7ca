"""Who did it is on every event. Those from before say nothing of it."""

from alembic import op

revision = "kit_0010"
down_revision = "kit_0009"


def upgrade() -> None:
    """A database that is made today has the column by the first migration."""
    op.execute("ALTER TABLE outbox ADD COLUMN IF NOT EXISTS actor_id text")


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
