"""Orders are of services, too, which are performed and never ship."""

import sqlalchemy as sa
from alembic import op

revision = "orders_0017"
down_revision = "orders_0016"


def upgrade() -> None:
    op.add_column("order_line", sa.Column("kind", sa.Text(), server_default=sa.text("'stock'"), nullable=False))
    op.create_check_constraint(op.f("ck_order_line_kind"), "order_line", "kind IN ('stock', 'service')")
    op.add_column(
        "sales_order", sa.Column("performances", sa.BigInteger(), server_default=sa.text("0"), nullable=False)
    )
