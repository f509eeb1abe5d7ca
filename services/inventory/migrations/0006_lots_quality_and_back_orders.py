"""Lots, quality and back-orders."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import insert_only, tenant_tables

revision = "inventory_0006"
down_revision = "inventory_0005"


def upgrade() -> None:
    op.create_table(
        "backorder",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("request_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("priority", sa.BigInteger(), nullable=False),
        sa.Column("wanted_on", sa.Date(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("hold_seconds", sa.BigInteger(), nullable=True),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_backorder")),
    )
    op.create_index(op.f("ix_backorder_tenant_id_order_id"), "backorder", ["tenant_id", "order_id"])
    op.create_index(op.f("ix_backorder_tenant_id_priority_id"), "backorder", ["tenant_id", "priority", "id"])
    op.create_index(op.f("ix_backorder_tenant_id_status_id"), "backorder", ["tenant_id", "status", "id"])
    op.create_table(
        "backorder_place",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("backorder_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint(
            "tenant_id", "backorder_id", "item_id", "warehouse_id", name=op.f("pk_backorder_place")
        ),
    )
    op.create_index(
        op.f("ix_backorder_place_tenant_id_item_id_warehouse_id"),
        "backorder_place",
        ["tenant_id", "item_id", "warehouse_id"],
    )
    op.create_table(
        "lot",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("serial", sa.Boolean(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('released', 'on_hold', 'blocked')", name=op.f("ck_lot_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lot")),
        sa.UniqueConstraint("tenant_id", "item_id", "number", name=op.f("uq_lot_tenant_id_item_id_number")),
    )
    op.create_index(op.f("ix_lot_tenant_id_created_at_id"), "lot", ["tenant_id", "created_at", "id"])
    op.create_index(
        op.f("ix_lot_tenant_id_expires_on_id"),
        "lot",
        ["tenant_id", "expires_on", "id"],
        postgresql_where=sa.text("expires_on IS NOT NULL"),
    )
    op.create_index(op.f("ix_lot_tenant_id_number_id"), "lot", ["tenant_id", "number", "id"])
    op.create_index(op.f("ix_lot_tenant_id_status_id"), "lot", ["tenant_id", "status", "id"])
    op.create_table(
        "lot_movement",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("stock_id", sa.Uuid(), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("other_warehouse_id", sa.Uuid(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lot_movement")),
        sa.UniqueConstraint(
            "tenant_id", "stock_id", "seq", "lot_id", name=op.f("uq_lot_movement_tenant_id_stock_id_seq_lot_id")
        ),
    )
    op.create_index(op.f("ix_lot_movement_tenant_id_lot_id_id"), "lot_movement", ["tenant_id", "lot_id", "id"])
    op.create_table(
        "lot_stock",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("stock_id", sa.Uuid(), nullable=False),
        sa.Column("lot_id", sa.Uuid(), nullable=False),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("reserved", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "stock_id", "lot_id", name=op.f("pk_lot_stock")),
    )
    op.create_index(op.f("ix_lot_stock_tenant_id_lot_id"), "lot_stock", ["tenant_id", "lot_id"])
    op.add_column("item_copy", sa.Column("tracking", sa.Text(), server_default=sa.text("'none'"), nullable=False))
    op.add_column("item_copy", sa.Column("expires", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("item_copy", sa.Column("shelf_life_days", sa.BigInteger(), nullable=True))
    op.add_column("movement", sa.Column("customer_id", sa.Uuid(), nullable=True))
    tenant_tables(op, "backorder", "backorder_place", "lot", "lot_movement", "lot_stock")
    insert_only(op, "lot_movement")
