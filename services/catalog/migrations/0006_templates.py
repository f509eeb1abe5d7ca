"""templates."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "catalog_0006"
down_revision = "catalog_0005"


def upgrade() -> None:
    op.create_table(
        "template",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("level", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("settings", postgresql.JSONB(), nullable=False),
        sa.Column("effective", postgresql.JSONB(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("level IN ('standard', 'industry', 'customer')", name=op.f("ck_template_level")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_template")),
    )
    op.create_index(
        op.f("ix_template_tenant_id_code_key"),
        "template",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_template_tenant_id_created_at_id"), "template", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_template_tenant_id_level"), "template", ["tenant_id", "level"])
    op.create_index(op.f("ix_template_tenant_id_name_id"), "template", ["tenant_id", "name", "id"])
    op.create_index(op.f("ix_template_tenant_id_parent_id"), "template", ["tenant_id", "parent_id"])
    op.create_table(
        "template_choice",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_template_choice")),
    )
    op.add_column(
        "item", sa.Column("custom_fields", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    tenant_tables(op, "template", "template_choice")
