"""Codes of carriers are the same in every case and spelling."""

from alembic import op

from tailrace.db.code_keys import add_code_key

revision = "shipping_0002"
down_revision = "shipping_0001"


def upgrade() -> None:
    add_code_key(op, "carrier")
