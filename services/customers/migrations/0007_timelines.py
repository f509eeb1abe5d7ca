"""Timelines: what happened with each customer."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "customers_0007"
down_revision = "customers_0006"


def upgrade() -> None:
    op.create_table(
        "timeline_subject",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("title", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_timeline_subject")),
    )
    op.create_index(op.f("ix_timeline_subject_tenant_id_parent_id"), "timeline_subject", ["tenant_id", "parent_id"])
    op.create_table(
        "timeline_entry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("occurred_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("details", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_timeline_entry")),
    )
    op.create_index(
        op.f("ix_timeline_entry_tenant_id_customer_id_occurred_at_id"),
        "timeline_entry",
        ["tenant_id", "customer_id", "occurred_at", "id"],
    )
    op.create_index(op.f("ix_timeline_entry_tenant_id_subject_id"), "timeline_entry", ["tenant_id", "subject_id"])
    tenant_tables(op, "timeline_entry", "timeline_subject")
