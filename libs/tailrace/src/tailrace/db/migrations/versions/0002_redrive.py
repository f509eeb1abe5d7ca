"""What a redrive needs: how often a dead letter was tried, the order in which to try, and what was given up.

The first migration makes the tables as they stand in `tailrace.db.tables` today, so each later one brings up to date what was made before it, and
finds nothing to do in a new database.
"""

from alembic import op

from tailrace.db.row_security import insert_only
from tailrace.db.tables import dropped, metadata

revision = "kit_0002"
down_revision = "kit_0001"


def upgrade() -> None:
    op.execute("ALTER TABLE dead_letter ADD COLUMN IF NOT EXISTS attempts integer NOT NULL DEFAULT 0")
    op.execute("ALTER TABLE dead_letter ADD COLUMN IF NOT EXISTS redriven_at timestamptz")
    op.execute("DROP INDEX IF EXISTS ix_dead_letter_subscriber_aggregate_id")
    op.execute(
        "CREATE INDEX IF NOT EXISTS ix_dead_letter_in_sequence ON dead_letter (subscriber, aggregate_id, epoch, sequence)"
    )
    metadata.create_all(op.get_bind(), tables=[dropped])
    insert_only(op, "dropped")


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
