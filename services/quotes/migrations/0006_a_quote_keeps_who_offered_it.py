"""A quote keeps who offered it."""

import sqlalchemy as sa
from alembic import op

revision = "quotes_0006"
down_revision = "quotes_0005"


def upgrade() -> None:
    # What was submitted before names the seller as of today: nothing here knows what it said.
    op.add_column("quote", sa.Column("seller_name", sa.Text()))


def downgrade() -> None:
    op.drop_column("quote", "seller_name")
