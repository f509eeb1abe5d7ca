"""Whether the order that a quote became has ended."""

import sqlalchemy as sa
from alembic import op

revision = "quotes_0005"
down_revision = "quotes_0004"


def upgrade() -> None:
    op.add_column("quote", sa.Column("order_ended", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.create_index(
        op.f("ix_quote_tenant_id_order_id"),
        "quote",
        ["tenant_id", "order_id"],
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_quote_tenant_id_order_id"), "quote")
    op.drop_column("quote", "order_ended")
