"""What is open of invoices of another system is taken over; customers are found in every spelling of their numbers."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.code_keys import add_key

revision = "accounting_0016"
down_revision = "accounting_0015"


def upgrade() -> None:
    op.add_column("invoice", sa.Column("taken_over_on", sa.Date(), nullable=True))
    add_key(op, "customer_copy", "number")
