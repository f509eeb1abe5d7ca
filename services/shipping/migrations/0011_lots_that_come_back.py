"""What comes back of a tracked item is known by its lots, and pieces by their serial numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "shipping_0011"
down_revision = "shipping_0010"

# What was kept before this was kept in the order in which it had left, by inventory as well.
_KEPT = """
WITH kept AS (
    SELECT line.tenant_id, line.id, line.shipment_id, line.line_id, line.restocked + line.scrapped AS quantity,
           sum(line.restocked + line.scrapped) OVER (
               PARTITION BY line.tenant_id, line.shipment_id, line.line_id ORDER BY came.inspected_at, line.id
           ) AS until
    FROM return_shipment_line AS line
    JOIN return_shipment AS came ON came.tenant_id = line.tenant_id AND came.id = line.return_shipment_id
    WHERE line.restocked + line.scrapped > 0
), lot AS (
    SELECT line.tenant_id, line.shipment_id, line.line_id, one.lot, one.position, (one.lot->>'quantity')::numeric AS quantity,
           sum((one.lot->>'quantity')::numeric) OVER (
               PARTITION BY line.tenant_id, line.id ORDER BY one.position
           ) AS until
    FROM shipment_line AS line
    CROSS JOIN jsonb_array_elements(line.lots) WITH ORDINALITY AS one (lot, position)
), taken AS (
    SELECT kept.tenant_id, kept.id, lot.lot, lot.position,
           least(kept.until, lot.until) - greatest(kept.until - kept.quantity, lot.until - lot.quantity) AS quantity
    FROM kept
    JOIN lot ON lot.tenant_id = kept.tenant_id AND lot.shipment_id = kept.shipment_id AND lot.line_id = kept.line_id
), said AS (
    SELECT tenant_id, id,
           jsonb_agg(lot || jsonb_build_object('quantity', trim_scale(quantity)::text) ORDER BY position) AS lots
    FROM taken WHERE quantity > 0 GROUP BY tenant_id, id
)
UPDATE return_shipment_line AS line SET lots = said.lots
FROM said WHERE said.tenant_id = line.tenant_id AND said.id = line.id
"""


def upgrade() -> None:
    op.create_table(
        "serial_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("serial", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_serial_copy")),
    )
    tenant_tables(op, "serial_copy")
    op.add_column(
        "return_shipment_line",
        sa.Column("lots", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    )
    # Row-level security shows the owner no row.
    tables = ("return_shipment", "return_shipment_line", "shipment_line")
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_KEPT)
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    op.create_index(
        op.f("ix_return_shipment_line_tenant_id_shipment_id_line_id"),
        "return_shipment_line",
        ["tenant_id", "shipment_id", "line_id"],
    )
