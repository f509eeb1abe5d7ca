"""Journals name the order that they are about."""

import sqlalchemy as sa
from alembic import op

revision = "accounting_0010"
down_revision = "accounting_0009"


def upgrade() -> None:
    op.add_column("journal", sa.Column("order_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("ix_journal_tenant_id_order_id"),
        "journal",
        ["tenant_id", "order_id"],
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
