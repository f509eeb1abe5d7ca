"""Texts of shipments and carriers in NFC, codes of units in NFKC.

It fails, and changes nothing, where one spelling makes two live rows one: rename one of them first. The log counts the texts that hold what nobody
sees, which stay as they are.
"""

from alembic import op

from tailrace.core.values.text import block, code, line
from tailrace.db.text_search.spelling import inside, spell_again

revision = "shipping_0005"
down_revision = "shipping_0004"


def upgrade() -> None:
    spell_again(op, "carrier", code=code, name=line)
    spell_again(op, "shipment_line", sku=code, name=line, unit=code)
    said = {"customer_reference": line, "customer_name": line, "reason": line, "signed_by": line, "note": block}
    spell_again(op, "shipment", tracking_number=line, ship_to=inside(line), **said)
