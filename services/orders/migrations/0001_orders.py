"""Orders and their lines, and the copies of the catalog."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "orders_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "item_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("conversions", postgresql.JSONB(), nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_item_copy")),
    )
    op.create_table(
        "price_list_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_price_list_copy")),
    )
    op.create_table(
        "sales_order",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("allocation", sa.Text(), nullable=False),
        sa.Column("shipment", sa.Text(), nullable=False),
        sa.Column("allocating", sa.Boolean(), nullable=False),
        sa.Column("shortage", sa.Text(), nullable=True),
        sa.Column("customer_reference", sa.Text(), nullable=False),
        sa.Column("customer_name", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("ordered_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("requested_date", sa.Date(), nullable=True),
        sa.Column("partial_allowed", sa.Boolean(), nullable=False),
        sa.Column("reservation_expires_in_seconds", sa.BigInteger(), nullable=True),
        sa.Column("ship_to", postgresql.JSONB(), nullable=True),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("hold_reason", sa.Text(), nullable=True),
        sa.Column("cancel_reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("allocation IN ('none', 'partial', 'full')", name=op.f("ck_sales_order_allocation")),
        sa.CheckConstraint("shipment IN ('none', 'partial', 'full')", name=op.f("ck_sales_order_shipment")),
        sa.CheckConstraint(
            "status IN ('draft', 'confirmed', 'on_hold', 'cancelled')", name=op.f("ck_sales_order_status")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_sales_order")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_sales_order_tenant_id_number")),
    )
    op.create_index(
        op.f("ix_sales_order_tenant_id_customer_reference_id"), "sales_order", ["tenant_id", "customer_reference", "id"]
    )
    op.create_index(op.f("ix_sales_order_tenant_id_ordered_at_id"), "sales_order", ["tenant_id", "ordered_at", "id"])
    op.create_index(op.f("ix_sales_order_tenant_id_status_id"), "sales_order", ["tenant_id", "status", "id"])
    op.create_table(
        "unit_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("factor", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_unit_copy")),
    )
    op.create_index(op.f("ix_unit_copy_tenant_id_code"), "unit_copy", ["tenant_id", "code"])
    op.create_table(
        "warehouse_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_warehouse_copy")),
    )
    op.create_table(
        "order_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("allocated", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("shipped", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["sales_order.tenant_id", "sales_order.id"],
            name=op.f("fk_order_line_tenant_id_order_id_sales_order"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_order_line")),
    )
    op.create_index(op.f("ix_order_line_tenant_id_order_id"), "order_line", ["tenant_id", "order_id"])
    op.create_table(
        "price_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("price_list_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("min_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "price_list_id"],
            ["price_list_copy.tenant_id", "price_list_copy.id"],
            name=op.f("fk_price_copy_tenant_id_price_list_id_price_list_copy"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "price_list_id", "item_id", "min_quantity", name=op.f("pk_price_copy")),
    )
    tenant_tables(
        op, "item_copy", "price_list_copy", "sales_order", "unit_copy", "warehouse_copy", "order_line", "price_copy"
    )
