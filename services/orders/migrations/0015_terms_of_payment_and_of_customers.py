"""When an order is due, and what orders are priced by and sent to where they do not say so themselves."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "orders_0015"
down_revision = "orders_0014"


def upgrade() -> None:
    op.add_column("sales_order", sa.Column("payment_terms_days", sa.BigInteger(), nullable=True))
    op.add_column("customer_copy", sa.Column("currency", sa.Text(), nullable=True))
    op.add_column("customer_copy", sa.Column("price_list_id", sa.Uuid(), nullable=True))
    op.add_column(
        "customer_copy",
        sa.Column("addresses", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False),
    )
