"""Items, units of measure, warehouses and price lists."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "catalog_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "item",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("conversions", postgresql.JSONB(), nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("valuation", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("negative_stock", sa.Text(), server_default=sa.text("'refused'"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("negative_stock IN ('refused', 'provisional')", name=op.f("ck_item_negative_stock")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_item")),
    )
    op.create_index(op.f("ix_item_tenant_id_created_at_id"), "item", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_item_tenant_id_name_id"), "item", ["tenant_id", "name", "id"])
    op.create_index(
        op.f("ix_item_tenant_id_sku"),
        "item",
        ["tenant_id", "sku"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_item_tenant_id_unit"), "item", ["tenant_id", "unit"])
    op.create_table(
        "price_list",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_price_list")),
    )
    op.create_index(
        op.f("ix_price_list_tenant_id_code"),
        "price_list",
        ["tenant_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_price_list_tenant_id_created_at_id"), "price_list", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_price_list_tenant_id_name_id"), "price_list", ["tenant_id", "name", "id"])
    op.create_table(
        "unit",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("factor", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_unit")),
    )
    op.create_index(
        op.f("ix_unit_tenant_id_code"),
        "unit",
        ["tenant_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_unit_tenant_id_created_at_id"), "unit", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_unit_tenant_id_dimension"), "unit", ["tenant_id", "dimension"])
    op.create_index(op.f("ix_unit_tenant_id_name_id"), "unit", ["tenant_id", "name", "id"])
    op.create_table(
        "warehouse",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("negative_stock", sa.Text(), server_default=sa.text("'refused'"), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("negative_stock IN ('refused', 'provisional')", name=op.f("ck_warehouse_negative_stock")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_warehouse")),
    )
    op.create_index(
        op.f("ix_warehouse_tenant_id_code"),
        "warehouse",
        ["tenant_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_warehouse_tenant_id_created_at_id"), "warehouse", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_warehouse_tenant_id_name_id"), "warehouse", ["tenant_id", "name", "id"])
    op.create_table(
        "price",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("price_list_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("min_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "item_id"], ["item.tenant_id", "item.id"], name=op.f("fk_price_tenant_id_item_id_item")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "price_list_id"],
            ["price_list.tenant_id", "price_list.id"],
            name=op.f("fk_price_tenant_id_price_list_id_price_list"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_price")),
    )
    op.create_index(op.f("ix_price_tenant_id_item_id"), "price", ["tenant_id", "item_id"])
    op.create_index(
        op.f("ix_price_tenant_id_price_list_id_item_id_min_quantity"),
        "price",
        ["tenant_id", "price_list_id", "item_id", "min_quantity"],
        unique=True,
    )
    tenant_tables(op, "item", "price_list", "unit", "warehouse", "price")
