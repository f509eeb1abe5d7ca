"""Orders are changed after they were confirmed."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "orders_0013"
down_revision = "orders_0012"


def upgrade() -> None:
    op.create_table(
        "order_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("customer_reference", sa.Text(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("confirmed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(
            ["tenant_id", "order_id"],
            ["sales_order.tenant_id", "sales_order.id"],
            name=op.f("fk_order_version_tenant_id_order_id_sales_order"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_order_version")),
        sa.UniqueConstraint(
            "tenant_id", "order_id", "revision", name=op.f("uq_order_version_tenant_id_order_id_revision")
        ),
    )
    op.add_column("sales_order", sa.Column("revision", sa.BigInteger(), server_default=sa.text("1"), nullable=False))
    op.add_column("sales_order", sa.Column("reopen_reason", sa.Text(), nullable=True))
    op.drop_constraint(op.f("ck_sales_order_status"), "sales_order", type_="check")
    op.create_check_constraint(
        op.f("ck_sales_order_status"),
        "sales_order",
        "((status = ANY (ARRAY['draft'::text, 'credit_hold'::text, 'confirmed'::text, 'on_hold'::text, 'reopening'::text, 'cancelled'::text])))",
    )
    tenant_tables(op, "order_version")
