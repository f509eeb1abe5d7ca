"""Customers, the people there, and what is kept of users and price lists."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "customers_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "customer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_terms_days", sa.BigInteger(), nullable=False),
        sa.Column("price_list_id", sa.Uuid(), nullable=True),
        sa.Column("tax_ids", postgresql.JSONB(), nullable=False),
        sa.Column("addresses", postgresql.JSONB(), nullable=False),
        sa.Column("emails", postgresql.JSONB(), nullable=False),
        sa.Column("phones", postgresql.JSONB(), nullable=False),
        sa.Column("sales_rep_id", sa.Uuid(), nullable=True),
        sa.Column("credit_limit", sa.BigInteger(), nullable=True),
        sa.Column("profile", postgresql.JSONB(), nullable=True),
        sa.Column("consents", postgresql.JSONB(), nullable=False),
        sa.Column("merged_into_id", sa.Uuid(), nullable=True),
        sa.Column("status_before_merge", sa.Text(), nullable=True),
        sa.Column("match_keys", postgresql.JSONB(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("kind IN ('company', 'person')", name=op.f("ck_customer_kind")),
        sa.CheckConstraint("status IN ('prospect', 'active', 'inactive', 'merged')", name=op.f("ck_customer_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer")),
    )
    op.create_index(
        op.f("ix_customer_tenant_id_code_key"),
        "customer",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_customer_tenant_id_created_at_id"), "customer", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_customer_tenant_id_merged_into_id"), "customer", ["tenant_id", "merged_into_id"])
    op.create_index(op.f("ix_customer_tenant_id_name_id"), "customer", ["tenant_id", "name", "id"])
    op.create_index(op.f("ix_customer_tenant_id_sales_rep_id"), "customer", ["tenant_id", "sales_rep_id"])
    op.create_index(op.f("ix_customer_tenant_id_segment"), "customer", ["tenant_id", "segment"])
    op.create_index(op.f("ix_customer_tenant_id_status"), "customer", ["tenant_id", "status"])
    op.create_table(
        "price_list_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_price_list_copy")),
    )
    op.create_table(
        "user_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user_copy")),
    )
    op.create_table(
        "person",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("reading", sa.Text(), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("emails", postgresql.JSONB(), nullable=False),
        sa.Column("phones", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "customer_id"],
            ["customer.tenant_id", "customer.id"],
            name=op.f("fk_person_tenant_id_customer_id_customer"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_person")),
    )
    op.create_index(op.f("ix_person_tenant_id_customer_id"), "person", ["tenant_id", "customer_id"])
    tenant_tables(op, "customer", "price_list_copy", "user_copy", "person")
