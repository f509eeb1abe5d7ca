"""What customers send back."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "shipping_0008"
down_revision = "shipping_0007"


def upgrade() -> None:
    op.create_table(
        "return_shipment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("customer_name", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("unexpected", postgresql.JSONB(), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("inspected_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('expected', 'partly_received', 'received', 'inspected', 'cancelled')",
            name=op.f("ck_return_shipment_status"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_return_shipment")),
    )
    op.create_index(
        op.f("ix_return_shipment_tenant_id_created_at_id"), "return_shipment", ["tenant_id", "created_at", "id"]
    )
    op.create_index(op.f("ix_return_shipment_tenant_id_number_id"), "return_shipment", ["tenant_id", "number", "id"])
    op.create_index(op.f("ix_return_shipment_tenant_id_order_id"), "return_shipment", ["tenant_id", "order_id"])
    op.create_index(
        op.f("ix_return_shipment_tenant_id_return_id"), "return_shipment", ["tenant_id", "return_id"], unique=True
    )
    op.create_index(op.f("ix_return_shipment_tenant_id_status_id"), "return_shipment", ["tenant_id", "status", "id"])
    op.create_table(
        "return_shipment_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_shipment_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("expected", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("received", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("restocked", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("scrapped", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("sent_back", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "return_shipment_id"],
            ["return_shipment.tenant_id", "return_shipment.id"],
            name=op.f("fk_return_shipment_line_tenant_id_return_shipment_id_return_shipment"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_return_shipment_line")),
    )
    op.create_index(
        op.f("ix_return_shipment_line_tenant_id_return_shipment_id"),
        "return_shipment_line",
        ["tenant_id", "return_shipment_id"],
    )
    tenant_tables(op, "return_shipment", "return_shipment_line")
