"""Codes of items, warehouses and price lists are the same in every case and spelling."""

from alembic import op

from tailrace.db.code_keys import add_code_key

revision = "catalog_0002"
down_revision = "catalog_0001"


def upgrade() -> None:
    add_code_key(op, "item", "sku")
    add_code_key(op, "warehouse")
    add_code_key(op, "price_list")
