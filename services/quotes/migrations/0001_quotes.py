"""Quotes and their lines, who may quote how much, and the copies that quotes keep."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "quotes_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "authority",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("limits", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_authority")),
    )
    op.create_table(
        "customer_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_terms_days", sa.BigInteger(), nullable=False),
        sa.Column("price_list_id", sa.Uuid(), nullable=True),
        sa.Column("tax_ids", postgresql.JSONB(), nullable=False),
        sa.Column("addresses", postgresql.JSONB(), nullable=False),
        sa.Column("people", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_copy")),
    )
    op.create_table(
        "customer_end",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("into_customer_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", name=op.f("pk_customer_end")),
    )
    op.create_table(
        "item_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("conversions", postgresql.JSONB(), nullable=False),
        sa.Column("tax_rate", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("tax_code_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_item_copy")),
    )
    op.create_table(
        "item_cost",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("unit_cost", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("effective_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "item_id", "currency", name=op.f("pk_item_cost")),
    )
    op.create_table(
        "merge_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("into_customer_id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_merge_copy")),
    )
    op.create_table(
        "price_list_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=True),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_price_list_copy")),
    )
    op.create_table(
        "quote",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("customer", postgresql.JSONB(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("price_list_id", sa.Uuid(), nullable=True),
        sa.Column("warehouse_id", sa.Uuid(), nullable=False),
        sa.Column("ship_to", postgresql.JSONB(), nullable=True),
        sa.Column("customer_reference", sa.Text(), nullable=True),
        sa.Column("payment_terms_days", sa.BigInteger(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("confirm_order", sa.Boolean(), nullable=False),
        sa.Column("discount_rate", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("discount_amount", sa.BigInteger(), nullable=True),
        sa.Column("discount", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("submissions", sa.BigInteger(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=True),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("accepted_by", sa.Text(), nullable=True),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'in_approval', 'approved', 'sent', 'accepted', 'declined', 'expired', 'superseded', 'cancelled')",
            name=op.f("ck_quote_status"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_quote")),
    )
    op.create_index(op.f("ix_quote_tenant_id_customer_id_id"), "quote", ["tenant_id", "customer_id", "id"])
    op.create_index(
        op.f("ix_quote_tenant_id_number_revision"), "quote", ["tenant_id", "number", "revision"], unique=True
    )
    op.create_index(op.f("ix_quote_tenant_id_owner_id_id"), "quote", ["tenant_id", "owner_id", "id"])
    op.create_index(op.f("ix_quote_tenant_id_status_id"), "quote", ["tenant_id", "status", "id"])
    op.create_index(op.f("ix_quote_tenant_id_valid_until_id"), "quote", ["tenant_id", "valid_until", "id"])
    op.create_table(
        "seller_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seller_copy")),
    )
    op.create_table(
        "tax_code_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("rates", postgresql.JSONB(), nullable=False),
        sa.Column("roundings", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tax_code_copy")),
    )
    op.create_table(
        "tax_policy_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("roundings", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tax_policy_copy")),
    )
    op.create_table(
        "time_zone",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "since", name=op.f("pk_time_zone")),
    )
    op.create_table(
        "unit_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("dimension", sa.Text(), nullable=False),
        sa.Column("factor", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_unit_copy")),
    )
    op.create_index(op.f("ix_unit_copy_tenant_id_code"), "unit_copy", ["tenant_id", "code"])
    op.create_table(
        "warehouse_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_warehouse_copy")),
    )
    op.create_table(
        "price_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("price_list_id", sa.Uuid(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=False),
        sa.Column("min_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "price_list_id"],
            ["price_list_copy.tenant_id", "price_list_copy.id"],
            name=op.f("fk_price_copy_tenant_id_price_list_id_price_list_copy"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "price_list_id", "item_id", "min_quantity", name=op.f("pk_price_copy")),
    )
    op.create_table(
        "quote_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("quote_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("inclusion", sa.Text(), nullable=False),
        sa.Column("alternative_to", sa.BigInteger(), nullable=True),
        sa.Column("counts", sa.Boolean(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("base_unit", sa.Text(), nullable=True),
        sa.Column("base_quantity", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("decimals", sa.BigInteger(), nullable=False),
        sa.Column("price_list_id", sa.Uuid(), nullable=True),
        sa.Column("list_price", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("agreed", sa.Boolean(), nullable=False),
        sa.Column("discount_rate", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax_code", sa.Text(), nullable=True),
        sa.Column("tax_rate", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("tax_level", sa.Text(), nullable=False),
        sa.Column("tax_mode", sa.Text(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("unit_cost", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.CheckConstraint(
            "inclusion IN ('included', 'optional', 'alternative')", name=op.f("ck_quote_line_inclusion")
        ),
        sa.CheckConstraint("kind IN ('item', 'text')", name=op.f("ck_quote_line_kind")),
        sa.CheckConstraint("tax_level IN ('document', 'line')", name=op.f("ck_quote_line_tax_level")),
        sa.CheckConstraint("tax_mode IN ('half_up', 'half_even', 'down')", name=op.f("ck_quote_line_tax_mode")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "quote_id"],
            ["quote.tenant_id", "quote.id"],
            name=op.f("fk_quote_line_tenant_id_quote_id_quote"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_quote_line")),
    )
    op.create_index(op.f("ix_quote_line_tenant_id_quote_id"), "quote_line", ["tenant_id", "quote_id"])
    tenant_tables(
        op,
        "authority",
        "customer_copy",
        "customer_end",
        "item_copy",
        "item_cost",
        "merge_copy",
        "price_list_copy",
        "quote",
        "seller_copy",
        "tax_code_copy",
        "tax_policy_copy",
        "time_zone",
        "unit_copy",
        "warehouse_copy",
        "price_copy",
        "quote_line",
    )
