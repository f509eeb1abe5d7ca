"""Items, units of measure, warehouses and price lists."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tailrace.db.row_security import tenant_tables

revision = "catalog_0001"
down_revision = None

LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    op.create_table(
        "item",
        *_head(),
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("conversions", JSONB, nullable=False),
        sa.Column("tax_rate", sa.Numeric(18, 6), nullable=False),
        sa.Column("valuation", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False),
        *_tail("item"),
    )
    op.create_table(
        "unit",
        *_head(),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        sa.Column("factor", sa.Numeric(18, 6), nullable=False),
        sa.Column("decimals", sa.BigInteger, nullable=False),
        *_tail("unit"),
    )
    op.create_table(
        "warehouse",
        *_head(),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("country", sa.Text),
        sa.Column("active", sa.Boolean, nullable=False),
        *_tail("warehouse"),
    )
    op.create_table(
        "price_list",
        *_head(),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("valid_from", sa.Date),
        sa.Column("valid_until", sa.Date),
        sa.Column("active", sa.Boolean, nullable=False),
        *_tail("price_list"),
    )
    _price()
    for table, code in (("item", "sku"), ("unit", "code"), ("warehouse", "code"), ("price_list", "code")):
        _lists(table, code)
    op.create_index("ix_item_tenant_id_unit", "item", ["tenant_id", "unit"])
    op.create_index("ix_unit_tenant_id_dimension", "unit", ["tenant_id", "dimension"])
    tenant_tables(op, "item", "unit", "warehouse", "price_list", "price")


def downgrade() -> None:
    for table in ("price", "price_list", "warehouse", "unit", "item"):
        op.drop_table(table)


def _price() -> None:
    op.create_table(
        "price",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("price_list_id", sa.Uuid, nullable=False),
        sa.Column("item_id", sa.Uuid, nullable=False),
        sa.Column("min_quantity", sa.Numeric(18, 6), nullable=False),
        sa.Column("unit_price", sa.Numeric(18, 6), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_price"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "price_list_id"],
            ["price_list.tenant_id", "price_list.id"],
            name="fk_price_tenant_id_price_list_id_price_list",
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "item_id"], ["item.tenant_id", "item.id"], name="fk_price_tenant_id_item_id_item"
        ),
    )
    unique = ["tenant_id", "price_list_id", "item_id", "min_quantity"]
    op.create_index("uq_price_list_item_min_quantity", "price", unique, unique=True)
    op.create_index("ix_price_tenant_id_item_id", "price", ["tenant_id", "item_id"])


def _head() -> list[sa.Column[object]]:
    return [
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
    ]


def _tail(table: str) -> list[sa.schema.SchemaItem]:
    now = sa.func.now()
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
    ]


def _lists(table: str, code: str) -> None:
    op.create_index(f"uq_{table}_tenant_id_{code}", table, ["tenant_id", code], unique=True, postgresql_where=LIVE)
    op.create_index(f"ix_{table}_tenant_id_name_id", table, ["tenant_id", "name", "id"])
    op.create_index(f"ix_{table}_tenant_id_created_at_id", table, ["tenant_id", "created_at", "id"])
