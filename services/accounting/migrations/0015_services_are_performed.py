"""Services that were performed are invoiced, as goods that left are."""

import sqlalchemy as sa
from alembic import op

revision = "accounting_0015"
down_revision = "accounting_0014"


def upgrade() -> None:
    performed = sa.Column("performed", sa.Boolean(), server_default=sa.text("false"), nullable=False)
    op.add_column("delivery_copy", performed)
    op.add_column("invoice_line", sa.Column("performance_id", sa.Uuid(), nullable=True))
    op.add_column("invoice_line", sa.Column("performance_number", sa.Text(), nullable=True))
    op.create_index(
        op.f("ix_invoice_line_tenant_id_performance_id_order_line_id"),
        "invoice_line",
        ["tenant_id", "performance_id", "order_line_id"],
        unique=True,
        postgresql_where=sa.text("performance_id IS NOT NULL"),
    )
