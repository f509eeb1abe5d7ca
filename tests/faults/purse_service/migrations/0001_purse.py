"""Accounts and transfers."""

from typing import Any

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "purse_0001"
down_revision = None


def upgrade() -> None:
    _aggregate("account", sa.Column("balance", sa.BigInteger, nullable=False), sa.Column("takes", sa.Boolean))
    _aggregate(
        "transfer",
        sa.Column("source_id", sa.Uuid, nullable=False),
        sa.Column("target_id", sa.Uuid, nullable=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
    )
    tenant_tables(op, "account", "transfer")


def downgrade() -> None:
    raise RuntimeError("the purse only goes forward")


def _aggregate(name: str, *columns: sa.Column[Any]) -> None:
    op.create_table(
        name,
        sa.Column("tenant_id", sa.Uuid, primary_key=True),
        sa.Column("id", sa.Uuid, primary_key=True),
        *columns,
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
    )
