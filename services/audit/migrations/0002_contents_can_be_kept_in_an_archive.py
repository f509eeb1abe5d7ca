"""Contents can be kept in an archive."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "audit_0002"
down_revision = "audit_0001"


def upgrade() -> None:
    op.create_table(
        "archive",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("begin", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("head_id", sa.Uuid(), nullable=False),
        sa.Column("newest_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("kept_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("store_version", sa.Text(), nullable=True),
        sa.Column("locked", sa.Boolean(), nullable=False),
        sa.Column("restored_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_archive")),
        sa.UniqueConstraint("tenant_id", "begin", name=op.f("uq_archive_tenant_id_begin")),
        sa.UniqueConstraint("tenant_id", "number", name=op.f("uq_archive_tenant_id_number")),
    )
    op.add_column("retention", sa.Column("archive_days", sa.BigInteger(), nullable=True))
    tenant_tables(op, "archive")
