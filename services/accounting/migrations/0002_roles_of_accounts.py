"""Roles of accounts, adjustments, and sub-ledgers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "accounting_0002"
down_revision = "accounting_0001"


def upgrade() -> None:
    op.create_table(
        "sub_ledger_entry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("source_id", sa.Uuid(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", "role", name=op.f("pk_sub_ledger_entry")),
    )
    op.create_index(
        op.f("ix_sub_ledger_entry_tenant_id_role_currency"), "sub_ledger_entry", ["tenant_id", "role", "currency"]
    )
    op.create_index(op.f("ix_sub_ledger_entry_tenant_id_source_id"), "sub_ledger_entry", ["tenant_id", "source_id"])
    op.add_column("book", sa.Column("roles", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False))
    op.add_column("journal", sa.Column("adjustment_reason", sa.Text(), nullable=True))
    tenant_tables(op, "sub_ledger_entry")
