"""Event streams of stock and reservations, the rows that lists read, and copies of the catalog."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tailrace.db.row_security import insert_only, tenant_tables

revision = "inventory_0001"
down_revision = None


def upgrade() -> None:
    _events()
    _stock_level()
    _movement()
    _reservation()
    _copies()
    tenant_tables(
        op, "inventory_event", "stock_level", "movement", "reservation", "item_copy", "warehouse_copy", "unit_copy"
    )
    insert_only(op, "inventory_event", "movement")


def downgrade() -> None:
    for table in (
        "unit_copy",
        "warehouse_copy",
        "item_copy",
        "reservation",
        "movement",
        "stock_level",
        "inventory_event",
    ):
        op.drop_table(table)


def _events() -> None:
    op.create_table(
        "inventory_event",
        _id("tenant_id"),
        _id("stream_id"),
        sa.Column("seq", sa.BigInteger, nullable=False),
        _id("event_id"),
        sa.Column("type", sa.Text, nullable=False),
        sa.Column("schema_version", sa.SmallInteger, nullable=False),
        sa.Column("payload", JSONB, nullable=False),
        _time("effective_at"),
        _now("recorded_at"),
        sa.PrimaryKeyConstraint("tenant_id", "stream_id", "seq", name="pk_inventory_event"),
        sa.UniqueConstraint("tenant_id", "event_id", name="uq_inventory_event_tenant_id_event_id"),
    )
    op.create_index("ix_inventory_event_tenant_id_recorded_at", "inventory_event", ["tenant_id", "recorded_at"])


def _stock_level() -> None:
    op.create_table(
        "stock_level",
        _id("tenant_id"),
        _id("id"),
        _id("item_id"),
        _id("warehouse_id"),
        _quantity("on_hand"),
        _quantity("reserved"),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_stock_level"),
        sa.UniqueConstraint(
            "tenant_id", "item_id", "warehouse_id", name="uq_stock_level_tenant_id_item_id_warehouse_id"
        ),
    )
    _index("stock_level", "warehouse_id", "id")
    _index("stock_level", "updated_at", "id")


def _movement() -> None:
    op.create_table(
        "movement",
        _id("tenant_id"),
        _id("id"),
        _id("stock_id"),
        sa.Column("seq", sa.BigInteger, nullable=False),
        _id("item_id"),
        _id("warehouse_id"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _quantity("quantity"),
        sa.Column("value", sa.BigInteger, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        _quantity("on_hand"),
        sa.Column("stock_value", sa.BigInteger, nullable=False),
        sa.Column("reference", sa.Text),
        sa.Column("other_warehouse_id", sa.Uuid),
        sa.Column("order_id", sa.Uuid),
        sa.Column("shipment_id", sa.Uuid),
        sa.Column("reservation_id", sa.Uuid),
        _time("effective_at"),
        _time("recorded_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_movement"),
        sa.UniqueConstraint("tenant_id", "stock_id", "seq", name="uq_movement_tenant_id_stock_id_seq"),
    )
    _index("movement", "item_id", "id")
    _index("movement", "warehouse_id", "id")
    _index("movement", "effective_at", "id")
    _index("movement", "order_id", where="order_id IS NOT NULL")
    _index("movement", "shipment_id", where="shipment_id IS NOT NULL")


def _reservation() -> None:
    op.create_table(
        "reservation",
        _id("tenant_id"),
        _id("id"),
        sa.Column("order_id", sa.Uuid),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("complete", sa.Boolean, nullable=False),
        sa.Column("requested", JSONB, nullable=False),
        sa.Column("held", JSONB, nullable=False),
        sa.Column("reason", sa.Text),
        sa.Column("expires_at", sa.DateTime(timezone=True)),
        sa.Column("version", sa.BigInteger, nullable=False),
        _now("created_at"),
        _now("updated_at"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_reservation"),
    )
    _index("reservation", "order_id")
    _index("reservation", "status", "id")
    _index("reservation", "created_at", "id")


def _copies() -> None:
    _copy(
        "item_copy",
        sa.Column("sku", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("unit", sa.Text, nullable=False),
        sa.Column("conversions", JSONB, nullable=False),
        sa.Column("valuation", sa.Text, nullable=False),
    )
    _copy("warehouse_copy", sa.Column("code", sa.Text, nullable=False))
    _copy(
        "unit_copy",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("dimension", sa.Text, nullable=False),
        _quantity("factor"),
    )
    _index("unit_copy", "code")


def _copy(table: str, *columns: sa.Column[object]) -> None:
    active = sa.Column("active", sa.Boolean, nullable=False)
    key = sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}")
    op.create_table(table, _id("tenant_id"), _id("id"), active, *columns, key)


def _index(table: str, *columns: str, where: str | None = None) -> None:
    names = ["tenant_id", *columns]
    condition = None if where is None else sa.text(where)
    op.create_index(f"ix_{table}_{'_'.join(names)}", table, names, postgresql_where=condition)


def _id(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, nullable=False)


def _quantity(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(18, 6), nullable=False)


def _time(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=False)


def _now(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False)
