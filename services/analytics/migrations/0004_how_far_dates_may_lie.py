"""How far dates may lie."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "analytics_0004"
down_revision = "analytics_0003"


def upgrade() -> None:
    op.create_table(
        "date_policy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("bounds", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_date_policy")),
    )
    tenant_tables(op, "date_policy")
