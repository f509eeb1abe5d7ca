"""Quotes are mailed to customers, whose addresses are kept, and are answered to who sells."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "quotes_0009"
down_revision = "quotes_0008"


def upgrade() -> None:
    op.add_column("quote", sa.Column("mail", postgresql.JSONB(), nullable=True))
    op.add_column(
        "customer_copy", sa.Column("emails", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )
    op.add_column("user_copy", sa.Column("email", sa.Text(), nullable=True))
