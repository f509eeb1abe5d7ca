"""Checks of tax ids, reviews that are due, and the company's days."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "customers_0002"
down_revision = "customers_0001"


def upgrade() -> None:
    op.create_table(
        "time_zone",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "since", name=op.f("pk_time_zone")),
    )
    op.add_column("customer", sa.Column("review_due_on", sa.Date(), nullable=True))
    none = sa.text("'[]'")
    op.add_column("customer", sa.Column("tax_id_checks", postgresql.JSONB(), nullable=False, server_default=none))
    op.alter_column("customer", "tax_id_checks", server_default=None)
    op.create_index(op.f("ix_customer_tenant_id_review_due_on"), "customer", ["tenant_id", "review_due_on"])
    tenant_tables(op, "time_zone")
