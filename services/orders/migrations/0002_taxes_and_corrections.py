"""Tax codes, price lists of lines, corrections."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "orders_0002"
down_revision = "orders_0001"


def upgrade() -> None:
    op.create_table(
        "tax_code_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("rates", postgresql.JSONB(), nullable=False),
        sa.Column("roundings", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tax_code_copy")),
    )
    op.create_table(
        "tax_policy_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("roundings", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tax_policy_copy")),
    )
    op.add_column("item_copy", sa.Column("tax_code_id", sa.Uuid(), nullable=True))
    op.alter_column("item_copy", "tax_rate", existing_type=sa.NUMERIC(precision=9, scale=6), nullable=True)
    op.add_column("order_line", sa.Column("price_list_id", sa.Uuid(), nullable=True))
    op.add_column("order_line", sa.Column("tax_code", sa.Text(), nullable=True))
    op.add_column("sales_order", sa.Column("correction", sa.Text(), nullable=True))
    tenant_tables(op, "tax_code_copy", "tax_policy_copy")
