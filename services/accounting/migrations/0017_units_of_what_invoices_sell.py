"""How finely what an invoice itself sells is counted."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "accounting_0017"
down_revision = "accounting_0016"


def upgrade() -> None:
    op.create_table(
        "unit_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_unit_copy")),
    )
    op.create_index(op.f("ix_unit_copy_tenant_id_code"), "unit_copy", ["tenant_id", "code"])
    tenant_tables(op, "unit_copy")
