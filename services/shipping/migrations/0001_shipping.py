"""Shipments, packages, carriers, and what has left of each order line."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tailrace.db.row_security import tenant_tables

revision = "shipping_0001"
down_revision = None


def upgrade() -> None:
    _shipment()
    _shipment_line()
    _package()
    _carrier()
    op.create_table("cancel_answer", *_head(), _uuid("order_id"), *_tail("cancel_answer"))
    op.create_table(
        "shipment_count",
        _uuid("tenant_id"),
        _uuid("order_id"),
        sa.Column("made", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "order_id", name="pk_shipment_count"),
    )
    op.create_table(
        "dispatched_line",
        _uuid("tenant_id"),
        _uuid("line_id"),
        sa.Column("quantity", sa.Numeric(18, 6), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "line_id", name="pk_dispatched_line"),
    )
    tenant_tables(
        op, "shipment", "shipment_line", "package", "carrier", "cancel_answer", "shipment_count", "dispatched_line"
    )


def downgrade() -> None:
    for table in ("dispatched_line", "shipment_count", "cancel_answer", "carrier", "package", "shipment_line"):
        op.drop_table(table)
    op.drop_table("shipment")


def _shipment() -> None:
    op.create_table(
        "shipment",
        *_head(),
        _text("number"),
        _uuid("order_id"),
        _text("order_number"),
        _uuid("reservation_id"),
        sa.Column("split_from", sa.Uuid),
        _text("status"),
        sa.Column("held", sa.Boolean, nullable=False),
        sa.Column("reason", sa.Text),
        _text("currency"),
        _text("customer_reference"),
        _text("customer_name"),
        sa.Column("ship_to", JSONB),
        sa.Column("carrier_id", sa.Uuid),
        sa.Column("tracking_number", sa.Text),
        sa.Column("tracking_link", sa.Text),
        sa.Column("dispatched_at", sa.DateTime(timezone=True)),
        sa.Column("delivered_at", sa.DateTime(timezone=True)),
        sa.Column("signed_by", sa.Text),
        sa.Column("note", sa.Text),
        *_tail("shipment"),
    )
    op.create_index("ix_shipment_tenant_id_order_id", "shipment", ["tenant_id", "order_id"])
    op.create_index("ix_shipment_tenant_id_status_id", "shipment", ["tenant_id", "status", "id"])
    op.create_index("ix_shipment_tenant_id_number_id", "shipment", ["tenant_id", "number", "id"])
    op.create_index("ix_shipment_tenant_id_created_at_id", "shipment", ["tenant_id", "created_at", "id"])
    op.create_index("ix_shipment_tenant_id_tracking_number", "shipment", ["tenant_id", "tracking_number"])


def _shipment_line() -> None:
    op.create_table(
        "shipment_line",
        *_head(),
        _uuid("shipment_id"),
        _uuid("line_id"),
        _uuid("item_id"),
        _text("sku"),
        _text("name"),
        _uuid("warehouse_id"),
        sa.Column("quantity", sa.Numeric(18, 6), nullable=False),
        sa.Column("picked", sa.Numeric(18, 6), nullable=False),
        sa.Column("line_quantity", sa.Numeric(18, 6), nullable=False),
        sa.Column("line_net", sa.BigInteger, nullable=False),
        sa.Column("line_tax", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_shipment_line"),
        _of_shipment("shipment_line"),
    )
    unique = ["tenant_id", "shipment_id", "line_id"]
    op.create_index("uq_shipment_line_shipment_id_line_id", "shipment_line", unique, unique=True)


def _package() -> None:
    op.create_table(
        "package",
        *_head(),
        _uuid("shipment_id"),
        sa.Column("weight_grams", sa.BigInteger),
        sa.Column("lines", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_package"),
        _of_shipment("package"),
    )
    op.create_index("ix_package_tenant_id_shipment_id", "package", ["tenant_id", "shipment_id"])


def _carrier() -> None:
    op.create_table(
        "carrier",
        *_head(),
        _text("code"),
        _text("name"),
        sa.Column("tracking_url", sa.Text),
        sa.Column("active", sa.Boolean, nullable=False),
        *_tail("carrier"),
        sa.Column("deleted_at", sa.DateTime(timezone=True)),
    )
    live = sa.text("deleted_at IS NULL")
    op.create_index("uq_carrier_tenant_id_code", "carrier", ["tenant_id", "code"], unique=True, postgresql_where=live)
    op.create_index("ix_carrier_tenant_id_name_id", "carrier", ["tenant_id", "name", "id"])


def _head() -> list[sa.Column[object]]:
    return [_uuid("tenant_id"), _uuid("id")]


def _tail(table: str) -> list[sa.schema.SchemaItem]:
    now = sa.func.now()
    return [
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=now, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=f"pk_{table}"),
    ]


def _of_shipment(table: str) -> sa.ForeignKeyConstraint:
    name = f"fk_{table}_tenant_id_shipment_id_shipment"
    return sa.ForeignKeyConstraint(["tenant_id", "shipment_id"], ["shipment.tenant_id", "shipment.id"], name=name)


def _uuid(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Uuid, nullable=False)


def _text(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=False)
