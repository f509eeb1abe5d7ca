"""Negative stock by policy, and movements that bear the record time of their event."""

import sqlalchemy as sa
from alembic import op

revision = "inventory_0002"
down_revision = "inventory_0001"

_LEDGER = ("movement", "inventory_event")


def upgrade() -> None:
    quantity = sa.Column("provisional", sa.Numeric(18, 6), nullable=False, server_default=sa.text("0"))
    op.add_column("stock_level", quantity)
    name = "ix_stock_level_tenant_id_provisional"
    op.create_index(name, "stock_level", ["tenant_id", "provisional"], postgresql_where=sa.text("provisional <> 0"))
    for table in ("item_copy", "warehouse_copy"):
        policy = sa.Column("negative_stock", sa.Text, nullable=False, server_default=sa.text("'refused'"))
        op.add_column(table, policy)
    _share_one_clock()


def downgrade() -> None:
    raise RuntimeError("the stock ledger only goes forward")


def _share_one_clock() -> None:
    """Movements had their own reading of the clock, some milliseconds off their event's. The owner is bound by row-level security, too."""
    for table in _LEDGER:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "UPDATE movement SET recorded_at = e.recorded_at FROM inventory_event e"
        " WHERE e.tenant_id = movement.tenant_id AND e.stream_id = movement.stock_id AND e.seq = movement.seq"
    )
    for table in _LEDGER:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
