"""How items are tracked."""

import sqlalchemy as sa
from alembic import op

revision = "catalog_0008"
down_revision = "catalog_0007"


def upgrade() -> None:
    op.add_column("item", sa.Column("tracking", sa.Text(), server_default=sa.text("'none'"), nullable=False))
    op.add_column("item", sa.Column("expires", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("item", sa.Column("shelf_life_days", sa.BigInteger(), nullable=True))
    op.create_check_constraint(op.f("ck_item_tracking"), "item", "tracking IN ('none', 'lot', 'serial')")
