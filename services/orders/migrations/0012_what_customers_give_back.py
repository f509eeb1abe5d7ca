"""What customers give back."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "orders_0012"
down_revision = "orders_0011"


def upgrade() -> None:
    op.create_table(
        "departed_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "shipment_id", "line_id", name=op.f("pk_departed_line")),
    )
    op.create_index(op.f("ix_departed_line_tenant_id_order_id"), "departed_line", ["tenant_id", "order_id"])
    op.create_table(
        "return_reason",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_return_reason")),
    )
    op.create_index(
        op.f("ix_return_reason_tenant_id_code_key"),
        "return_reason",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        op.f("ix_return_reason_tenant_id_created_at_id"), "return_reason", ["tenant_id", "created_at", "id"]
    )
    op.create_index(op.f("ix_return_reason_tenant_id_name_id"), "return_reason", ["tenant_id", "name", "id"])
    op.create_table(
        "customer_return",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("cancelling", sa.Boolean(), nullable=False),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("customer_name", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("owner_name", sa.Text(), nullable=True),
        sa.Column("return_reason_id", sa.Uuid(), nullable=False),
        sa.Column("reason_code", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("fee_net", sa.BigInteger(), nullable=False),
        sa.Column("fee_tax_code", sa.Text(), nullable=True),
        sa.Column("fee_tax_rate", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("settling", sa.BigInteger(), nullable=False),
        sa.Column("fee_asked", sa.Boolean(), nullable=False),
        sa.Column("credited_net", sa.BigInteger(), nullable=False),
        sa.Column("credited_tax", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("return_shipment_id", sa.Uuid(), nullable=True),
        sa.Column("exchange_order_id", sa.Uuid(), nullable=True),
        sa.Column("exchange_order_number", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('requested', 'authorised', 'partly_received', 'received', 'inspected', 'closed', 'cancelled')",
            name=op.f("ck_customer_return_status"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["sales_order.tenant_id", "sales_order.id"],
            name=op.f("fk_customer_return_tenant_id_order_id_sales_order"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_return")),
    )
    op.create_index(
        op.f("ix_customer_return_tenant_id_created_at_id"), "customer_return", ["tenant_id", "created_at", "id"]
    )
    op.create_index(
        op.f("ix_customer_return_tenant_id_customer_id_id"),
        "customer_return",
        ["tenant_id", "customer_id", "id"],
        postgresql_where=sa.text("customer_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_customer_return_tenant_id_exchange_order_id"),
        "customer_return",
        ["tenant_id", "exchange_order_id"],
        postgresql_where=sa.text("exchange_order_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_customer_return_tenant_id_number"), "customer_return", ["tenant_id", "number"], unique=True
    )
    op.create_index(
        op.f("ix_customer_return_tenant_id_order_id_id"), "customer_return", ["tenant_id", "order_id", "id"]
    )
    op.create_index(
        op.f("ix_customer_return_tenant_id_owner_id_id"), "customer_return", ["tenant_id", "owner_id", "id"]
    )
    op.create_index(op.f("ix_customer_return_tenant_id_status_id"), "customer_return", ["tenant_id", "status", "id"])
    op.create_table(
        "return_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("shipment_number", sa.Text(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("received", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("accepted", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("sent_back", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.CheckConstraint("outcome IN ('refund', 'exchange')", name=op.f("ck_return_line_outcome")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "return_id"],
            ["customer_return.tenant_id", "customer_return.id"],
            name=op.f("fk_return_line_tenant_id_return_id_customer_return"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_return_line")),
    )
    op.create_index(
        op.f("ix_return_line_tenant_id_line_id_shipment_id"), "return_line", ["tenant_id", "line_id", "shipment_id"]
    )
    op.create_index(op.f("ix_return_line_tenant_id_return_id"), "return_line", ["tenant_id", "return_id"])
    tenant_tables(op, "departed_line", "return_reason", "customer_return", "return_line")
