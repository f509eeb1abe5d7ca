"""Codes of units, and what is counted in them, are kept in NFKC; names in NFC.

It fails, and changes nothing, where one spelling makes two live rows one: rename one of them first. The log counts the texts that hold what nobody
sees, which stay as they are.
"""

from alembic import op

from tailrace.core.values.text import code, line
from tailrace.db.text_search.spelling import inside, spell_again

revision = "catalog_0007"
down_revision = "catalog_0006"


def upgrade() -> None:
    spell_again(op, "unit", code=code, dimension=code, name=line)
    spell_again(op, "item", sku=code, name=line, unit=code, conversions=inside(code))
    spell_again(op, "warehouse", code=code, name=line)
    spell_again(op, "price_list", code=code, name=line)
    spell_again(op, "tax_code", code=code, name=line)
