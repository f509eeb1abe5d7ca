"""Sales invoices, payments, and what customers owe."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "accounting_0006"
down_revision = "accounting_0005"


def upgrade() -> None:
    op.create_table(
        "bank_account",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("iban", sa.Text(), nullable=True),
        sa.Column("bic", sa.Text(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bank_account")),
    )
    op.create_index(
        op.f("ix_bank_account_tenant_id_code_key"),
        "bank_account",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        op.f("ix_bank_account_tenant_id_created_at_id"), "bank_account", ["tenant_id", "created_at", "id"], unique=False
    )
    op.create_index(
        op.f("ix_bank_account_tenant_id_name_id"), "bank_account", ["tenant_id", "name", "id"], unique=False
    )
    op.create_table(
        "billing_policy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("closing_day", sa.BigInteger(), nullable=False),
        sa.Column("issues", sa.Boolean(), nullable=False),
        sa.Column("number_prefix", sa.Text(), nullable=False),
        sa.Column("issuer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("mode IN ('manual', 'per_shipment', 'periodic')", name=op.f("ck_billing_policy_mode")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_policy")),
    )
    op.create_table(
        "billing_terms",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=True),
        sa.Column("closing_day", sa.BigInteger(), nullable=True),
        sa.Column("electronic_address", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("mode IN ('manual', 'per_shipment', 'periodic')", name=op.f("ck_billing_terms_mode")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_billing_terms")),
    )
    op.create_index(
        op.f("ix_billing_terms_tenant_id_customer_id"), "billing_terms", ["tenant_id", "customer_id"], unique=True
    )
    op.create_table(
        "company_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_company_copy")),
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
        sa.Column("tax_ids", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("addresses", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("emails", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_copy")),
    )
    op.create_table(
        "delivery_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dispatched_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_delivery_copy")),
    )
    op.create_index(
        op.f("ix_delivery_copy_tenant_id_dispatched_at_id"),
        "delivery_copy",
        ["tenant_id", "dispatched_at", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_delivery_copy_tenant_id_order_id"), "delivery_copy", ["tenant_id", "order_id"], unique=False
    )
    op.create_table(
        "dunning_notice",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("customer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("level", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("items", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("open", sa.BigInteger(), nullable=False),
        sa.Column("fee", sa.BigInteger(), nullable=False),
        sa.Column("fee_invoice_id", sa.Uuid(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dunning_notice")),
    )
    op.create_index(
        op.f("ix_dunning_notice_tenant_id_customer_id_id"),
        "dunning_notice",
        ["tenant_id", "customer_id", "id"],
        unique=False,
    )
    op.create_index(
        op.f("ix_dunning_notice_tenant_id_dated_id"), "dunning_notice", ["tenant_id", "dated", "id"], unique=False
    )
    op.create_index(op.f("ix_dunning_notice_tenant_id_number"), "dunning_notice", ["tenant_id", "number"], unique=True)
    op.create_table(
        "dunning_policy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("automatic", sa.Boolean(), nullable=False),
        sa.Column("levels", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dunning_policy")),
    )
    op.create_table(
        "exchange_rate",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("against", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("rate", sa.Numeric(precision=24, scale=12), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_exchange_rate")),
    )
    op.create_index(
        op.f("ix_exchange_rate_tenant_id_currency_against_day"),
        "exchange_rate",
        ["tenant_id", "currency", "against", "day"],
        unique=True,
    )
    op.create_index(
        op.f("ix_exchange_rate_tenant_id_day_id"), "exchange_rate", ["tenant_id", "day", "id"], unique=False
    )
    op.create_table(
        "invoice",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("series", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("customer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seller", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("payment_terms_days", sa.BigInteger(), nullable=False),
        sa.Column("customer_reference", sa.Text(), nullable=True),
        sa.Column("notes", sa.Text(), nullable=True),
        sa.Column("supplied_from", sa.Date(), nullable=True),
        sa.Column("supplied_until", sa.Date(), nullable=True),
        sa.Column("dated", sa.Date(), nullable=True),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("paid", sa.BigInteger(), nullable=False),
        sa.Column("credited", sa.BigInteger(), nullable=False),
        sa.Column("overdue_since", sa.Date(), nullable=True),
        sa.Column("dunning_level", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('draft', 'issued', 'partly_paid', 'paid', 'credited', 'cancelled')",
            name=op.f("ck_invoice_status"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invoice")),
    )
    op.create_index(
        op.f("ix_invoice_tenant_id_customer_id_id"), "invoice", ["tenant_id", "customer_id", "id"], unique=False
    )
    op.create_index(op.f("ix_invoice_tenant_id_due_on_id"), "invoice", ["tenant_id", "due_on", "id"], unique=False)
    op.create_index(
        op.f("ix_invoice_tenant_id_number"),
        "invoice",
        ["tenant_id", "number"],
        unique=True,
        postgresql_where=sa.text("number IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_invoice_tenant_id_series_dated"), "invoice", ["tenant_id", "series", "dated"], unique=False
    )
    op.create_index(op.f("ix_invoice_tenant_id_status_id"), "invoice", ["tenant_id", "status", "id"], unique=False)
    op.create_table(
        "merge_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("into_customer_id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_merge_copy")),
    )
    op.create_table(
        "order_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("customer_reference", sa.Text(), nullable=False),
        sa.Column("customer_name", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_order_copy")),
    )
    op.create_table(
        "receivable_entry",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("line", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("invoice_id", sa.Uuid(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("due_on", sa.Date(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "event_id", "line", name=op.f("pk_receivable_entry")),
    )
    op.create_index(
        op.f("ix_receivable_entry_tenant_id_customer_id_day"),
        "receivable_entry",
        ["tenant_id", "customer_id", "day"],
        unique=False,
    )
    op.create_index(op.f("ix_receivable_entry_tenant_id_day"), "receivable_entry", ["tenant_id", "day"], unique=False)
    op.create_index(
        op.f("ix_receivable_entry_tenant_id_invoice_id_day"),
        "receivable_entry",
        ["tenant_id", "invoice_id", "day"],
        unique=False,
    )
    op.create_table(
        "revaluation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("difference", sa.BigInteger(), nullable=False),
        sa.Column("lines", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_revaluation")),
    )
    op.create_index(op.f("ix_revaluation_tenant_id_day"), "revaluation", ["tenant_id", "day"], unique=True)
    op.create_table(
        "seller_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_seller_copy")),
    )
    op.create_table(
        "bank_statement",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("format", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("opening", sa.BigInteger(), nullable=True),
        sa.Column("closing", sa.BigInteger(), nullable=True),
        sa.Column("lines", sa.BigInteger(), nullable=False),
        sa.Column("fresh", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("format IN ('camt.053', 'csv')", name=op.f("ck_bank_statement_format")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bank_account_id"],
            ["bank_account.tenant_id", "bank_account.id"],
            name=op.f("fk_bank_statement_tenant_id_bank_account_id_bank_account"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bank_statement")),
    )
    op.create_index(
        op.f("ix_bank_statement_tenant_id_bank_account_id_sha256"),
        "bank_statement",
        ["tenant_id", "bank_account_id", "sha256"],
        unique=True,
    )
    op.create_table(
        "credit_note",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("series", sa.Text(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_number", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("customer", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("seller", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("dated", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_credit_note_tenant_id_invoice_id_invoice"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credit_note")),
    )
    op.create_index(
        op.f("ix_credit_note_tenant_id_customer_id_id"), "credit_note", ["tenant_id", "customer_id", "id"], unique=False
    )
    op.create_index(
        op.f("ix_credit_note_tenant_id_invoice_id"), "credit_note", ["tenant_id", "invoice_id"], unique=False
    )
    op.create_index(op.f("ix_credit_note_tenant_id_number"), "credit_note", ["tenant_id", "number"], unique=True)
    op.create_index(
        op.f("ix_credit_note_tenant_id_series_dated"), "credit_note", ["tenant_id", "series", "dated"], unique=False
    )
    op.create_table(
        "invoice_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=True),
        sa.Column("order_number", sa.Text(), nullable=True),
        sa.Column("order_line_id", sa.Uuid(), nullable=True),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.Column("shipment_number", sa.Text(), nullable=True),
        sa.Column("supplied_on", sa.Date(), nullable=True),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax_code", sa.Text(), nullable=True),
        sa.Column("tax_rate", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("credited_net", sa.BigInteger(), nullable=False),
        sa.Column("credited_tax", sa.BigInteger(), nullable=False),
        sa.Column("credited_quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_invoice_line_tenant_id_invoice_id_invoice"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_invoice_line")),
    )
    op.create_index(
        op.f("ix_invoice_line_tenant_id_invoice_id"), "invoice_line", ["tenant_id", "invoice_id"], unique=False
    )
    op.create_index(
        op.f("ix_invoice_line_tenant_id_order_id"),
        "invoice_line",
        ["tenant_id", "order_id"],
        unique=False,
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.create_index(
        op.f("ix_invoice_line_tenant_id_shipment_id_order_line_id"),
        "invoice_line",
        ["tenant_id", "shipment_id", "order_line_id"],
        unique=True,
        postgresql_where=sa.text("shipment_id IS NOT NULL"),
    )
    op.create_table(
        "payment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("payer_name", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("allocated", sa.BigInteger(), nullable=False),
        sa.Column("value_day", sa.Date(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('received', 'reversed')", name=op.f("ck_payment_status")),
        sa.CheckConstraint("allocated >= 0 AND allocated <= amount", name=op.f("ck_payment_allocated")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bank_account_id"],
            ["bank_account.tenant_id", "bank_account.id"],
            name=op.f("fk_payment_tenant_id_bank_account_id_bank_account"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_payment")),
    )
    op.create_index(
        op.f("ix_payment_tenant_id_customer_id_id"), "payment", ["tenant_id", "customer_id", "id"], unique=False
    )
    op.create_index(op.f("ix_payment_tenant_id_number"), "payment", ["tenant_id", "number"], unique=True)
    op.create_index(
        op.f("ix_payment_tenant_id_value_day_id"), "payment", ["tenant_id", "value_day", "id"], unique=False
    )
    op.create_table(
        "allocation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_id", sa.Uuid(), nullable=False),
        sa.Column("invoice_number", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("invoice_currency", sa.Text(), nullable=False),
        sa.Column("settled", sa.BigInteger(), nullable=False),
        sa.Column("worth", sa.BigInteger(), nullable=False),
        sa.Column("company_currency", sa.Text(), nullable=True),
        sa.Column("realised", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "invoice_id"],
            ["invoice.tenant_id", "invoice.id"],
            name=op.f("fk_allocation_tenant_id_invoice_id_invoice"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payment.tenant_id", "payment.id"],
            name=op.f("fk_allocation_tenant_id_payment_id_payment"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_allocation")),
    )
    op.create_index(
        op.f("ix_allocation_tenant_id_invoice_id_id"), "allocation", ["tenant_id", "invoice_id", "id"], unique=False
    )
    op.create_index(op.f("ix_allocation_tenant_id_payment_id"), "allocation", ["tenant_id", "payment_id"], unique=False)
    op.create_table(
        "bank_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("bank_statement_id", sa.Uuid(), nullable=False),
        sa.Column("line_key", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("booked_on", sa.Date(), nullable=False),
        sa.Column("value_day", sa.Date(), nullable=False),
        sa.Column("payer_name", sa.Text(), nullable=True),
        sa.Column("payer_iban", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("bank_reference", sa.Text(), nullable=True),
        sa.Column("payment_id", sa.Uuid(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("status IN ('open', 'matched', 'dismissed')", name=op.f("ck_bank_line_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bank_statement_id"],
            ["bank_statement.tenant_id", "bank_statement.id"],
            name=op.f("fk_bank_line_tenant_id_bank_statement_id_bank_statement"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_bank_line")),
    )
    op.create_index(
        op.f("ix_bank_line_tenant_id_bank_account_id_line_key"),
        "bank_line",
        ["tenant_id", "bank_account_id", "line_key"],
        unique=True,
    )
    op.create_index(
        op.f("ix_bank_line_tenant_id_bank_statement_id_id"),
        "bank_line",
        ["tenant_id", "bank_statement_id", "id"],
        unique=False,
    )
    op.create_index(op.f("ix_bank_line_tenant_id_status_id"), "bank_line", ["tenant_id", "status", "id"], unique=False)
    op.create_table(
        "credit_note_line",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("credit_note_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=True),
        sa.Column("unit", sa.Text(), nullable=True),
        sa.Column("unit_price", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax_code", sa.Text(), nullable=True),
        sa.Column("tax_rate", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "credit_note_id"],
            ["credit_note.tenant_id", "credit_note.id"],
            name=op.f("fk_credit_note_line_tenant_id_credit_note_id_credit_note"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_credit_note_line")),
    )
    op.create_index(
        op.f("ix_credit_note_line_tenant_id_credit_note_id"),
        "credit_note_line",
        ["tenant_id", "credit_note_id"],
        unique=False,
    )
    tenant_tables(
        op,
        "bank_account",
        "billing_policy",
        "billing_terms",
        "company_copy",
        "customer_copy",
        "delivery_copy",
        "dunning_notice",
        "dunning_policy",
        "exchange_rate",
        "invoice",
        "merge_copy",
        "order_copy",
        "receivable_entry",
        "revaluation",
        "seller_copy",
        "bank_statement",
        "credit_note",
        "invoice_line",
        "payment",
        "allocation",
        "bank_line",
        "credit_note_line",
    )
