"""Orders and their lines, the numbers given out, and the copies of the catalog."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "orders_0001"
down_revision = None

QUANTITY = sa.Numeric(18, 6)
RATE = sa.Numeric(9, 6)
TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    _orders()
    _catalog()
    tenant_tables(
        op,
        "sales_order",
        "order_line",
        "order_number",
        "item_copy",
        "unit_copy",
        "warehouse_copy",
        "price_list_copy",
        "price_copy",
    )


def _orders() -> None:
    op.create_table(
        "order_number",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("last", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_order_number"),
    )
    op.create_table(
        "sales_order",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("allocation", sa.Text, nullable=False),
        sa.Column("shipment", sa.Text, nullable=False),
        sa.Column("allocating", sa.Boolean, nullable=False),
        sa.Column("shortage", sa.Text),
        sa.Column("customer_reference", sa.Text, nullable=False),
        sa.Column("customer_name", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("ordered_at", TIME, nullable=False),
        sa.Column("requested_date", sa.Date),
        sa.Column("partial_allowed", sa.Boolean, nullable=False),
        sa.Column("reservation_expires_in_seconds", sa.BigInteger),
        sa.Column("ship_to", postgresql.JSONB(none_as_null=True)),
        sa.Column("net", sa.BigInteger, nullable=False),
        sa.Column("tax", sa.BigInteger, nullable=False),
        sa.Column("hold_reason", sa.Text),
        sa.Column("cancel_reason", sa.Text),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", TIME, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_sales_order"),
        sa.UniqueConstraint("tenant_id", "number", name="uq_sales_order_tenant_id_number"),
        sa.CheckConstraint("status IN ('draft', 'confirmed', 'on_hold', 'cancelled')", name="ck_sales_order_status"),
        sa.CheckConstraint("allocation IN ('none', 'partial', 'full')", name="ck_sales_order_allocation"),
        sa.CheckConstraint("shipment IN ('none', 'partial', 'full')", name="ck_sales_order_shipment"),
    )
    op.create_index("ix_sales_order_tenant_id_ordered_at_id", "sales_order", ["tenant_id", "ordered_at", "id"])
    op.create_index("ix_sales_order_tenant_id_status_id", "sales_order", ["tenant_id", "status", "id"])
    op.create_index(
        "ix_sales_order_tenant_id_customer_reference_id", "sales_order", ["tenant_id", "customer_reference", "id"]
    )
    op.create_table(
        "order_line",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("order_id", sa.Uuid, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("item_id", sa.Uuid, nullable=False),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("warehouse_id", sa.Uuid, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("quantity", QUANTITY, nullable=False),
        sa.Column("unit_price", QUANTITY, nullable=False),
        sa.Column("net", sa.BigInteger, nullable=False),
        sa.Column("tax_rate", RATE, nullable=False),
        sa.Column("tax", sa.BigInteger, nullable=False),
        sa.Column("allocated", QUANTITY, nullable=False),
        sa.Column("shipped", QUANTITY, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_order_line"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["sales_order.tenant_id", "sales_order.id"],
            name="fk_order_line_tenant_id_order_id_sales_order",
        ),
    )
    op.create_index("ix_order_line_tenant_id_order_id", "order_line", ["tenant_id", "order_id"])


def _catalog() -> None:
    op.create_table(
        "item_copy",
        *_copy(),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("conversions", postgresql.JSONB, nullable=False),
        sa.Column("tax_rate", RATE, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_item_copy"),
    )
    op.create_table(
        "unit_copy",
        *_copy(),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("factor", QUANTITY, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_unit_copy"),
    )
    op.create_index("ix_unit_copy_tenant_id_code", "unit_copy", ["tenant_id", "code"])
    op.create_table(
        "warehouse_copy",
        *_copy(),
        sa.Column("code", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_warehouse_copy"),
    )
    op.create_table(
        "price_list_copy",
        *_copy(),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_price_list_copy"),
    )
    op.create_table(
        "price_copy",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("price_list_id", sa.Uuid, nullable=False),
        sa.Column("item_id", sa.Uuid, nullable=False),
        sa.Column("min_quantity", QUANTITY, nullable=False),
        sa.Column("unit_price", QUANTITY, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "price_list_id", "item_id", "min_quantity", name="pk_price_copy"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "price_list_id"],
            ["price_list_copy.tenant_id", "price_list_copy.id"],
            name="fk_price_copy_tenant_id_price_list_id_price_list_copy",
        ),
    )


def _copy() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
    ]
