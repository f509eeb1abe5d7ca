"""How fine a quantity may be travels with its unit."""

import sqlalchemy as sa
from alembic import op

revision = "inventory_0003"
down_revision = "inventory_0002"


def upgrade() -> None:
    """Rows of before are as fine as any unit may be, until the service hears of theirs."""
    op.add_column("unit_copy", sa.Column("decimals", sa.BigInteger, nullable=False, server_default="6"))
    op.alter_column("unit_copy", "decimals", server_default=None)


def downgrade() -> None:
    op.drop_column("unit_copy", "decimals")
