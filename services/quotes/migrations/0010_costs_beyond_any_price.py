"""What an item cost may be more than a price holds: then nobody knows it here."""

import sqlalchemy as sa
from alembic import op

revision = "quotes_0010"
down_revision = "quotes_0009"


def upgrade() -> None:
    op.alter_column("item_cost", "unit_cost", existing_type=sa.NUMERIC(precision=18, scale=6), nullable=True)
