"""Remarks on lines."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "toy_0002"
down_revision = "toy_0001"


def upgrade() -> None:
    op.create_table(
        "remark",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "line_id"],
            ["note_line.tenant_id", "note_line.id"],
            name=op.f("fk_remark_tenant_id_line_id_note_line"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_remark")),
    )
    tenant_tables(op, "remark")
