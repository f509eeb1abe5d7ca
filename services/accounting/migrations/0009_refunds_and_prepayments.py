"""Refunds, prepayments, and tax that is rounded by the invoice."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "accounting_0009"
down_revision = "accounting_0008"


def upgrade() -> None:
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
        "refund",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("payee_name", sa.Text(), nullable=True),
        sa.Column("payee_iban", sa.Text(), nullable=True),
        sa.Column("bank_account_id", sa.Uuid(), nullable=False),
        sa.Column("account", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=False),
        sa.Column("value_day", sa.Date(), nullable=True),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('in_approval', 'paid', 'rejected', 'withdrawn', 'returned')", name=op.f("ck_refund_status")
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "bank_account_id"],
            ["bank_account.tenant_id", "bank_account.id"],
            name=op.f("fk_refund_tenant_id_bank_account_id_bank_account"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_refund")),
    )
    op.create_index(op.f("ix_refund_tenant_id_customer_id_id"), "refund", ["tenant_id", "customer_id", "id"])
    op.create_index(op.f("ix_refund_tenant_id_number"), "refund", ["tenant_id", "number"], unique=True)
    op.create_index(op.f("ix_refund_tenant_id_status_id"), "refund", ["tenant_id", "status", "id"])
    op.create_table(
        "refund_part",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("refund_id", sa.Uuid(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("payment_id", sa.Uuid(), nullable=False),
        sa.Column("payment_number", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "payment_id"],
            ["payment.tenant_id", "payment.id"],
            name=op.f("fk_refund_part_tenant_id_payment_id_payment"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "refund_id"],
            ["refund.tenant_id", "refund.id"],
            name=op.f("fk_refund_part_tenant_id_refund_id_refund"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_refund_part")),
    )
    op.create_index(op.f("ix_refund_part_tenant_id_payment_id"), "refund_part", ["tenant_id", "payment_id"])
    op.create_index(op.f("ix_refund_part_tenant_id_refund_id"), "refund_part", ["tenant_id", "refund_id"])
    op.add_column("bank_line", sa.Column("refund_id", sa.Uuid(), nullable=True))
    op.create_index(
        op.f("ix_bank_line_tenant_id_refund_id"),
        "bank_line",
        ["tenant_id", "refund_id"],
        postgresql_where=sa.text("refund_id IS NOT NULL"),
    )
    op.add_column("billing_policy", sa.Column("prepayments_taxed", sa.Text(), nullable=True))
    op.add_column("invoice", sa.Column("kind", sa.Text(), server_default=sa.text("'invoice'"), nullable=False))
    op.add_column("invoice", sa.Column("order_id", sa.Uuid(), nullable=True))
    op.add_column(
        "invoice", sa.Column("taxed_when_received", sa.Boolean(), server_default=sa.text("true"), nullable=False)
    )
    op.add_column("invoice", sa.Column("prepaid", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column(
        "invoice", sa.Column("prepayments", postgresql.JSONB(), server_default=sa.text("'[]'"), nullable=False)
    )
    op.create_index(
        op.f("ix_invoice_tenant_id_order_id"),
        "invoice",
        ["tenant_id", "order_id"],
        postgresql_where=sa.text("order_id IS NOT NULL"),
    )
    op.add_column("invoice_line", sa.Column("booked_tax", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.alter_column("invoice_line", "booked_tax", server_default=None)
    # What was invoiced before has the tax that was booked. An UPDATE would see no tenant's rows.
    op.execute(
        "ALTER TABLE invoice_line ALTER COLUMN booked_tax TYPE bigint USING CASE WHEN shipment_id IS NULL THEN 0 ELSE tax END"
    )
    op.add_column("invoice_line", sa.Column("received", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("invoice_line", sa.Column("deducted", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("payment", sa.Column("refunded", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.drop_constraint(op.f("ck_payment_allocated"), "payment", type_="check")
    op.create_check_constraint(
        op.f("ck_invoice_kind"), "invoice", "((kind = ANY (ARRAY['invoice'::text, 'prepayment'::text])))"
    )
    op.create_check_constraint(
        op.f("ck_billing_policy_prepayments_taxed"),
        "billing_policy",
        "((prepayments_taxed = ANY (ARRAY['received'::text, 'supplied'::text])))",
    )
    op.create_check_constraint(
        op.f("ck_payment_allocated"),
        "payment",
        "(((allocated >= 0) AND (refunded >= 0) AND ((allocated + refunded) <= amount)))",
    )
    tenant_tables(op, "tax_code_copy", "tax_policy_copy", "refund", "refund_part")
