"""By what searchable rows are found."""

from alembic import op

from tailrace.db.tables import metadata, search_entry

revision = "kit_0007"
down_revision = "kit_0006"


def upgrade() -> None:
    metadata.create_all(op.get_bind(), tables=[search_entry])


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
