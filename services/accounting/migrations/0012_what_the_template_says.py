"""What the company's template says, and invoices by the letters and digits of their numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "accounting_0012"
down_revision = "accounting_0011"


def upgrade() -> None:
    op.create_table(
        "template_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("effective", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_template_copy")),
    )
    op.create_table(
        "template_choice_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("template_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_template_choice_copy")),
    )
    tenant_tables(op, "template_copy", "template_choice_copy")
    op.alter_column("billing_policy", "number_prefix", existing_type=sa.Text(), nullable=True)
    # Who had said nothing had this one. An UPDATE would see no tenant's rows.
    op.execute("ALTER TABLE billing_policy ALTER COLUMN number_prefix TYPE text USING nullif(number_prefix, 'INV')")
    op.add_column("invoice", sa.Column("number_key", sa.Text(), nullable=True))
    op.execute(
        "ALTER TABLE invoice ALTER COLUMN number_key TYPE text USING lower(regexp_replace(number, '[^A-Za-z0-9]', '', 'g'))"
    )
    op.add_column(
        "invoice", sa.Column("custom_fields", postgresql.JSONB(), server_default=sa.text("'{}'"), nullable=False)
    )
    for table in ("invoice", "credit_note"):
        op.drop_index(op.f(f"ix_{table}_tenant_id_series_dated"), table_name=table)
        op.drop_column(table, "series")
        op.create_index(op.f(f"ix_{table}_tenant_id_dated"), table, ["tenant_id", "dated"])
    op.create_index(
        op.f("ix_invoice_tenant_id_currency_number_key"),
        "invoice",
        ["tenant_id", "currency", "number_key"],
        postgresql_where=sa.text("status IN ('issued', 'partly_paid')"),
    )
