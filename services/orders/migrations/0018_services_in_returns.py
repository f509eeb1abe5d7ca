"""Returns are of services, too, of which nothing comes back."""

import sqlalchemy as sa
from alembic import op

revision = "orders_0018"
down_revision = "orders_0017"


def upgrade() -> None:
    for table in ("departed_line", "return_line"):
        op.add_column(table, sa.Column("performed", sa.Boolean(), server_default=sa.text("false"), nullable=False))
