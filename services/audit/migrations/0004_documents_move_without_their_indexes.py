"""Documents move without their indexes."""

from alembic import op

revision = "audit_0004"
down_revision = "audit_0003"


def upgrade() -> None:
    op.drop_index(op.f("ix_document_tenant_id_last"), table_name="document")
    op.execute("ALTER TABLE document SET (fillfactor = 70)")
