"""Tax codes, and how tax is rounded."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "catalog_0003"
down_revision = "catalog_0002"


def upgrade() -> None:
    op.create_table(
        "tax_code",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("rates", postgresql.JSONB(), nullable=False),
        sa.Column("roundings", postgresql.JSONB(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tax_code")),
    )
    op.create_index(
        op.f("ix_tax_code_tenant_id_code_key"),
        "tax_code",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_tax_code_tenant_id_created_at_id"), "tax_code", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_tax_code_tenant_id_name_id"), "tax_code", ["tenant_id", "name", "id"])
    op.create_table(
        "tax_policy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("roundings", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tax_policy")),
    )
    op.add_column("item", sa.Column("tax_code_id", sa.Uuid(), nullable=True))
    op.alter_column("item", "tax_rate", existing_type=sa.NUMERIC(precision=18, scale=6), nullable=True)
    op.create_index(op.f("ix_item_tenant_id_tax_code_id"), "item", ["tenant_id", "tax_code_id"])
    tenant_tables(op, "tax_code", "tax_policy")
