"""What documents came of, and what they were made to help."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "audit_0003"
down_revision = "audit_0002"


def upgrade() -> None:
    op.create_table(
        "document_link",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("to_id", sa.Uuid(), nullable=False),
        sa.Column("comes_of", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "document_id", "to_id", name=op.f("pk_document_link")),
    )
    op.create_index(op.f("ix_document_link_tenant_id_to_id"), "document_link", ["tenant_id", "to_id"])
    tenant_tables(op, "document_link")
