"""What waits for goods, and which lots are wanted."""

import sqlalchemy as sa
from alembic import op

revision = "orders_0011"
down_revision = "orders_0010"


def upgrade() -> None:
    op.add_column(
        "order_line",
        sa.Column("backordered", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
    )
    op.add_column(
        "order_line",
        sa.Column("cancelled", sa.Numeric(precision=18, scale=6), server_default=sa.text("0"), nullable=False),
    )
    op.add_column("order_line", sa.Column("lot", sa.Text(), nullable=True))
    op.add_column("order_line", sa.Column("remaining_days", sa.BigInteger(), nullable=True))
    op.add_column("sales_order", sa.Column("when_short", sa.Text(), server_default=sa.text("'stop'"), nullable=False))
    op.add_column("sales_order", sa.Column("priority", sa.BigInteger(), server_default=sa.text("5"), nullable=False))
    op.add_column("sales_order", sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column(
        "sales_order", sa.Column("backordered", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    )
    op.create_check_constraint(
        op.f("ck_sales_order_when_short"),
        "sales_order",
        "when_short IN ('stop', 'wait', 'cancel')",
    )
