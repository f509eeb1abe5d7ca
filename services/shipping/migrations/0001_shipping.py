"""Shipments, packages, carriers, and what has left of each order line."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "shipping_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "cancel_answer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_cancel_answer")),
    )
    op.create_table(
        "carrier",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("tracking_url", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_carrier")),
    )
    op.create_index(
        op.f("ix_carrier_tenant_id_code"),
        "carrier",
        ["tenant_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_carrier_tenant_id_created_at_id"), "carrier", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_carrier_tenant_id_name_id"), "carrier", ["tenant_id", "name", "id"])
    op.create_table(
        "dispatched_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "line_id", name=op.f("pk_dispatched_line")),
    )
    op.create_table(
        "shipment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("reservation_id", sa.Uuid(), nullable=False),
        sa.Column("split_from", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("held", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("customer_reference", sa.Text(), nullable=False),
        sa.Column("customer_name", sa.Text(), nullable=False),
        sa.Column("ship_to", postgresql.JSONB(), nullable=True),
        sa.Column("carrier_id", sa.Uuid(), nullable=True),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("tracking_link", sa.Text(), nullable=True),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("delivered_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("signed_by", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('pending', 'picking', 'picked', 'packed', 'dispatched', 'delivered', 'cancelled')",
            name=op.f("ck_shipment_status"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shipment")),
    )
    op.create_index(op.f("ix_shipment_tenant_id_created_at_id"), "shipment", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_shipment_tenant_id_number_id"), "shipment", ["tenant_id", "number", "id"])
    op.create_index(op.f("ix_shipment_tenant_id_order_id"), "shipment", ["tenant_id", "order_id"])
    op.create_index(op.f("ix_shipment_tenant_id_status_id"), "shipment", ["tenant_id", "status", "id"])
    op.create_index(op.f("ix_shipment_tenant_id_tracking_number"), "shipment", ["tenant_id", "tracking_number"])
    op.create_table(
        "package",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("weight_grams", sa.BigInteger(), nullable=True),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shipment_id"],
            ["shipment.tenant_id", "shipment.id"],
            name=op.f("fk_package_tenant_id_shipment_id_shipment"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_package")),
    )
    op.create_index(op.f("ix_package_tenant_id_shipment_id"), "package", ["tenant_id", "shipment_id"])
    op.create_table(
        "shipment_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("picked", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("line_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("line_net", sa.BigInteger(), nullable=False),
        sa.Column("line_tax", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shipment_id"],
            ["shipment.tenant_id", "shipment.id"],
            name=op.f("fk_shipment_line_tenant_id_shipment_id_shipment"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_shipment_line")),
    )
    op.create_index(
        op.f("ix_shipment_line_tenant_id_shipment_id_line_id"),
        "shipment_line",
        ["tenant_id", "shipment_id", "line_id"],
        unique=True,
    )
    tenant_tables(op, "cancel_answer", "carrier", "dispatched_line", "shipment", "package", "shipment_line")
