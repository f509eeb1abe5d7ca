"""The toy's tables."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.event_streams import stream_table
from tailrace.db.row_security import insert_only, tenant_tables
from tailrace.db.tables import NAMING

revision = "toy_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "note",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_note"),
    )
    op.create_table(
        "note_line",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("note_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_note_line"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "note_id"], ["note.tenant_id", "note.id"], name="fk_note_line_tenant_id_note_id_note"
        ),
    )
    op.create_table(
        "heard",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("key", sa.Uuid, nullable=False),
        sa.Column("times", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_heard"),
    )
    stream_table("count_event", sa.MetaData(naming_convention=NAMING)).create(op.get_bind())
    tenant_tables(op, "note", "note_line", "heard", "count_event")
    insert_only(op, "count_event")


def downgrade() -> None:
    raise RuntimeError("the toy only goes forward")
