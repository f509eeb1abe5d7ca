"""Texts of orders in NFC, and the copies of the catalog in the spelling that it gives them.

It fails, and changes nothing, where one spelling makes two live rows one: rename one of them first. The log counts the texts that hold what nobody
sees, which stay as they are.
"""

from alembic import op

from tailrace.core.values.text import code, line
from tailrace.db.text_search.spelling import inside, spell_again

revision = "orders_0005"
down_revision = "orders_0004"


def upgrade() -> None:
    spell_again(op, "item_copy", sku=code, name=line, unit=code, conversions=inside(code))
    spell_again(op, "unit_copy", code=code, dimension=code)
    spell_again(op, "warehouse_copy", code=code)
    spell_again(op, "price_list_copy", code=code)
    spell_again(op, "tax_code_copy", code=code)
    spell_again(op, "order_line", sku=code, name=line, unit=code)
    reasons = {"hold_reason": line, "cancel_reason": line}
    spell_again(op, "sales_order", customer_reference=line, customer_name=line, ship_to=inside(line), **reasons)
