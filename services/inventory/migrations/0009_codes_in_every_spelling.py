"""Items, warehouses and lots are found in every spelling of their codes and numbers. Lots that differ in spelling alone stay two."""

from alembic import op

from tailrace.db.code_keys import add_key

revision = "inventory_0009"
down_revision = "inventory_0008"


def upgrade() -> None:
    add_key(op, "item_copy", "sku")
    add_key(op, "warehouse_copy")
    add_key(op, "lot", "number", "number_key")
    op.create_index(op.f("ix_lot_tenant_id_item_id_number_key"), "lot", ["tenant_id", "item_id", "number_key"])
