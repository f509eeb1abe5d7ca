"""What quotes know of opportunities, and of roles: what is named has to be there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "quotes_0008"
down_revision = "quotes_0007"


def upgrade() -> None:
    op.create_table(
        "opportunity_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_opportunity_copy")),
    )
    op.create_table(
        "role_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("scopes", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_role_copy")),
    )
    tenant_tables(op, "opportunity_copy", "role_copy")
