"""Redrives that a person asked for are kept, with their reason."""

from alembic import op

from tailrace.db.tables import metadata, redriven

revision = "kit_0004"
down_revision = "kit_0003"


def upgrade() -> None:
    metadata.create_all(op.get_bind(), tables=[redriven])


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
