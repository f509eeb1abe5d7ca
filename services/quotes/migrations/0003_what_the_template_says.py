"""What the company's template says, and how far dates may lie."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "quotes_0003"
down_revision = "quotes_0002"


def upgrade() -> None:
    op.create_table(
        "template_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("effective", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_template_copy")),
    )
    op.create_table(
        "template_choice_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_template_choice_copy")),
    )
    op.create_table(
        "date_policy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("bounds", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_date_policy")),
    )
    tenant_tables(op, "date_policy", "template_copy", "template_choice_copy")
