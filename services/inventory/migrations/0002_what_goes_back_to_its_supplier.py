"""What goes back to its supplier."""

import sqlalchemy as sa
from alembic import op

revision = "inventory_0002"
down_revision = "inventory_0001"


def upgrade() -> None:
    op.add_column("movement", sa.Column("receipt_id", sa.Uuid(), nullable=True))
    op.add_column("movement", sa.Column("credited", sa.BigInteger(), nullable=True))
    op.create_index(
        op.f("ix_movement_tenant_id_receipt_id"),
        "movement",
        ["tenant_id", "receipt_id"],
        postgresql_where=sa.text("receipt_id IS NOT NULL"),
    )
