"""Fields of the company's own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "orders_0014"
down_revision = "orders_0013"


def upgrade() -> None:
    for table in ("sales_order", "order_version"):
        op.add_column(
            table, sa.Column("custom_fields", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
        )
