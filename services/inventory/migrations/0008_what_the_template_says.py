"""What the company's template says of the lots that leave."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "inventory_0008"
down_revision = "inventory_0007"


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
    tenant_tables(op, "template_copy", "template_choice_copy")
