"""How many days after an invoice an order is due, where that is not what was agreed with the customer."""

import sqlalchemy as sa
from alembic import op

revision = "accounting_0013"
down_revision = "accounting_0012"


def upgrade() -> None:
    op.add_column("order_copy", sa.Column("payment_terms_days", sa.BigInteger(), nullable=True))
