"""Customers of orders, and the quotes that orders are made of."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "orders_0006"
down_revision = "orders_0005"


def upgrade() -> None:
    op.create_table(
        "customer_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_copy")),
    )
    op.create_table(
        "merge_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("into_customer_id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_merge_copy")),
    )
    op.add_column("sales_order", sa.Column("customer_id", sa.Uuid(), nullable=True))
    op.add_column("sales_order", sa.Column("quote_id", sa.Uuid(), nullable=True))
    op.add_column("sales_order", sa.Column("quote_number", sa.Text(), nullable=True))
    op.add_column("sales_order", sa.Column("quote_revision", sa.BigInteger(), nullable=True))
    op.create_index(
        op.f("ix_sales_order_tenant_id_customer_id_id"),
        "sales_order",
        ["tenant_id", "customer_id", "id"],
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_sales_order_tenant_id_quote_id"),
        "sales_order",
        ["tenant_id", "quote_id"],
        unique=True,
        postgresql_where=sa.text("quote_id IS NOT NULL"),
    )
    tenant_tables(op, "customer_copy", "merge_copy")
