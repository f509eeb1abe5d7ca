"""How far an order is invoiced and paid. Those that are here already were not invoiced here."""

import sqlalchemy as sa
from alembic import op

revision = "orders_0009"
down_revision = "orders_0008"


def upgrade() -> None:
    for name in ("invoicing", "payment"):
        op.add_column("sales_order", sa.Column(name, sa.Text(), server_default=sa.text("'none'"), nullable=False))
    for name in ("invoiced", "paid"):
        op.add_column("sales_order", sa.Column(name, sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    for name in ("invoicing", "payment"):
        op.create_check_constraint(
            op.f(f"ck_sales_order_{name}"), "sales_order", f"{name} IN ('none', 'partial', 'full')"
        )
