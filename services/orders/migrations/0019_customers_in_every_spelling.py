"""Customers are found in every spelling of their numbers."""

from alembic import op

from tailrace.db.code_keys import add_key

revision = "orders_0019"
down_revision = "orders_0018"


def upgrade() -> None:
    add_key(op, "customer_copy", "number")
