"""Where a company is and how far its dates may lie."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "identity_0005"
down_revision = "identity_0004"


def upgrade() -> None:
    op.add_column("tenant", sa.Column("country", sa.Text(), nullable=True))
    op.add_column(
        "tenant", sa.Column("date_policy", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False)
    )
