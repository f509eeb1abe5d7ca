"""What the company's template says of approvals."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "workflow_0003"
down_revision = "workflow_0002"


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
    op.add_column("approval", sa.Column("process_note", sa.Text(), nullable=True))
    op.alter_column("approval", "process", nullable=True)
    op.alter_column("approval", "process_version", nullable=True)
    tenant_tables(op, "template_copy", "template_choice_copy")
