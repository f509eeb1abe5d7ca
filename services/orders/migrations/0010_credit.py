"""Orders that are held for credit, and what says how a customer stands. What is confirmed already stays so."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "orders_0010"
down_revision = "orders_0009"


def upgrade() -> None:
    op.create_table(
        "buyer_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_buyer_copy")),
    )
    op.create_table(
        "credit_limit_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("credit_limit", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credit_limit_copy")),
    )
    op.create_table(
        "credit_policy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("overdue_days", sa.BigInteger(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credit_policy")),
    )
    op.create_table(
        "open_invoice",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "invoice_id", name=op.f("pk_open_invoice")),
    )
    op.create_index(
        op.f("ix_open_invoice_tenant_id_customer_id"),
        "open_invoice",
        ["tenant_id", "customer_id"],
        postgresql_where=sa.text("open <> 0"),
    )
    op.create_table(
        "order_billed",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "order_id", name=op.f("pk_order_billed")),
    )
    op.create_table(
        "paid_ahead",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", "currency", name=op.f("pk_paid_ahead")),
    )
    op.create_table(
        "rate_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("against", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rate", sa.Numeric(precision=24, scale=12), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_rate_copy")),
    )
    op.create_index(
        op.f("ix_rate_copy_tenant_id_currency_against_day"), "rate_copy", ["tenant_id", "currency", "against", "day"]
    )
    op.add_column("sales_order", sa.Column("credit_hold", postgresql.JSONB(none_as_null=True), nullable=True))
    op.drop_constraint(op.f("ck_sales_order_status"), "sales_order", type_="check")
    op.create_check_constraint(
        op.f("ck_sales_order_status"),
        "sales_order",
        "status IN ('draft', 'credit_hold', 'confirmed', 'on_hold', 'cancelled')",
    )
    tenant_tables(
        op,
        "buyer_copy",
        "credit_limit_copy",
        "credit_policy",
        "open_invoice",
        "order_billed",
        "paid_ahead",
        "rate_copy",
    )
