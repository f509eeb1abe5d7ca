"""Fields of the company's own."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "quotes_0007"
down_revision = "quotes_0006"


def upgrade() -> None:
    op.add_column(
        "quote", sa.Column("custom_fields", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
