"""How fine a quantity may be travels with its unit, and with the line that is counted in it."""

import sqlalchemy as sa
from alembic import op

revision = "orders_0002"
down_revision = "orders_0001"


def upgrade() -> None:
    """Rows of before are as fine as any unit may be, until the service hears of theirs."""
    op.add_column("unit_copy", sa.Column("decimals", sa.BigInteger, nullable=False, server_default="6"))
    op.alter_column("unit_copy", "decimals", server_default=None)
    op.add_column("order_line", sa.Column("decimals", sa.BigInteger, nullable=False, server_default="6"))
    op.alter_column("order_line", "decimals", server_default=None)


def downgrade() -> None:
    op.drop_column("order_line", "decimals")
    op.drop_column("unit_copy", "decimals")
