"""Items and warehouses say whether more may leave than the books have."""

import sqlalchemy as sa
from alembic import op

revision = "catalog_0002"
down_revision = "catalog_0001"


def upgrade() -> None:
    for table in ("item", "warehouse"):
        refused = sa.text("'refused'")
        op.add_column(table, sa.Column("negative_stock", sa.Text, nullable=False, server_default=refused))


def downgrade() -> None:
    for table in ("item", "warehouse"):
        op.drop_column(table, "negative_stock")
