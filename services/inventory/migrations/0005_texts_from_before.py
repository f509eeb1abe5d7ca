"""The copies of items, units and warehouses have the spelling that the catalog gives them.

It fails, and changes nothing, where one spelling makes two live rows one: rename one of them first. The log counts the texts that hold what nobody
sees, which stay as they are.
"""

from alembic import op

from tailrace.core.values.text import code
from tailrace.db.text_search.spelling import inside, spell_again

revision = "inventory_0005"
down_revision = "inventory_0004"


def upgrade() -> None:
    spell_again(op, "item_copy", sku=code, unit=code, conversions=inside(code))
    spell_again(op, "unit_copy", code=code, dimension=code)
    spell_again(op, "warehouse_copy", code=code)
