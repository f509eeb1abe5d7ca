"""The toy's tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import insert_only, tenant_tables

revision = "toy_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "count_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("schema_version", sa.SmallInteger(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "stream_id", "seq", name=op.f("pk_count_event")),
        sa.UniqueConstraint("tenant_id", "event_id", name=op.f("uq_count_event_tenant_id_event_id")),
    )
    op.create_index("ix_count_event_tenant_id_recorded_at", "count_event", ["tenant_id", "recorded_at"])
    op.create_table(
        "heard",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Uuid(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_heard")),
    )
    op.create_table(
        "label",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tone", sa.Text(), nullable=False),
        sa.Column("beside", sa.Uuid(), nullable=True),
        sa.Column("marks", postgresql.JSONB(), nullable=False, server_default=sa.text("'[]'::jsonb")),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("tone IN ('plain', 'loud')", name=op.f("ck_label_tone")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_label")),
    )
    op.create_index(
        op.f("ix_label_tenant_id_code_key"),
        "label",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_label_tenant_id_created_at_id"), "label", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_label_tenant_id_name_id"), "label", ["tenant_id", "name", "id"])
    op.create_table(
        "note",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_note")),
    )
    op.create_table(
        "note_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("note_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "note_id"], ["note.tenant_id", "note.id"], name=op.f("fk_note_line_tenant_id_note_id_note")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_note_line")),
        sa.UniqueConstraint("tenant_id", "note_id", "position", name=op.f("uq_note_line_tenant_id_note_id_position")),
    )
    tenant_tables(op, "count_event", "heard", "label", "note", "note_line")
    insert_only(op, "count_event")
