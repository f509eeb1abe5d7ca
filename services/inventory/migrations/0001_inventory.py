"""Event streams of stock and reservations, the rows that lists read, and copies of the catalog."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import insert_only, tenant_tables

revision = "inventory_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "inventory_event",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("stream_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("schema_version", sa.SmallInteger(), nullable=False),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "stream_id", "seq", name=op.f("pk_inventory_event")),
        sa.UniqueConstraint("tenant_id", "event_id", name=op.f("uq_inventory_event_tenant_id_event_id")),
    )
    op.create_index("ix_inventory_event_tenant_id_recorded_at", "inventory_event", ["tenant_id", "recorded_at"])
    op.create_table(
        "item_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("conversions", postgresql.JSONB(), nullable=False),
        sa.Column("valuation", sa.Text(), nullable=False),
        sa.Column("negative_stock", sa.Text(), server_default=sa.text("'refused'"), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_item_copy")),
    )
    op.create_table(
        "movement",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("stock_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("on_hand", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("stock_value", sa.BigInteger(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("other_warehouse_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.Column("reservation_id", sa.Uuid(), nullable=True),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_movement")),
        sa.UniqueConstraint("tenant_id", "stock_id", "seq", name=op.f("uq_movement_tenant_id_stock_id_seq")),
    )
    op.create_index(op.f("ix_movement_tenant_id_effective_at_id"), "movement", ["tenant_id", "effective_at", "id"])
    op.create_index(op.f("ix_movement_tenant_id_item_id_id"), "movement", ["tenant_id", "item_id", "id"])
    op.create_index(
        op.f("ix_movement_tenant_id_order_id"),
        "movement",
        ["tenant_id", "order_id"],
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_movement_tenant_id_shipment_id"),
        "movement",
        ["tenant_id", "shipment_id"],
        postgresql_where=sa.text("shipment_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_movement_tenant_id_warehouse_id_id"), "movement", ["tenant_id", "warehouse_id", "id"])
    op.create_table(
        "reservation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("requested", postgresql.JSONB(), nullable=False),
        sa.Column("held", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reservation")),
    )
    op.create_index(op.f("ix_reservation_tenant_id_created_at_id"), "reservation", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_reservation_tenant_id_order_id"), "reservation", ["tenant_id", "order_id"])
    op.create_index(op.f("ix_reservation_tenant_id_status_id"), "reservation", ["tenant_id", "status", "id"])
    op.create_table(
        "stock_level",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("on_hand", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("reserved", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("value", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("provisional", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stock_level")),
        sa.UniqueConstraint(
            "tenant_id", "item_id", "warehouse_id", name=op.f("uq_stock_level_tenant_id_item_id_warehouse_id")
        ),
    )
    op.create_index(
        op.f("ix_stock_level_tenant_id_provisional"),
        "stock_level",
        ["tenant_id", "provisional"],
        postgresql_where=sa.text("provisional <> 0"),
    )
    op.create_index(op.f("ix_stock_level_tenant_id_updated_at_id"), "stock_level", ["tenant_id", "updated_at", "id"])
    op.create_index(
        op.f("ix_stock_level_tenant_id_warehouse_id_id"), "stock_level", ["tenant_id", "warehouse_id", "id"]
    )
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
        sa.Column("negative_stock", sa.Text(), server_default=sa.text("'refused'"), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_warehouse_copy")),
    )
    tenant_tables(
        op, "inventory_event", "item_copy", "movement", "reservation", "stock_level", "unit_copy", "warehouse_copy"
    )
    insert_only(op, "inventory_event", "movement")
