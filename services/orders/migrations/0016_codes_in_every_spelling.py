"""Items, warehouses, price lists and tax codes are found in every spelling of their codes."""

from alembic import op

from tailrace.db.code_keys import add_key

revision = "orders_0016"
down_revision = "orders_0015"


def upgrade() -> None:
    add_key(op, "item_copy", "sku")
    for table in ("warehouse_copy", "price_list_copy", "tax_code_copy"):
        add_key(op, table)
