"""The opportunity that a quote is made for."""

import sqlalchemy as sa
from alembic import op

revision = "quotes_0004"
down_revision = "quotes_0003"


def upgrade() -> None:
    op.add_column("quote", sa.Column("opportunity_id", sa.Uuid()))
    op.create_index(
        op.f("ix_quote_tenant_id_opportunity_id_id"),
        "quote",
        ["tenant_id", "opportunity_id", "id"],
        postgresql_where=sa.text("opportunity_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index(op.f("ix_quote_tenant_id_opportunity_id_id"), "quote")
    op.drop_column("quote", "opportunity_id")
