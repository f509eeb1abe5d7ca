"""Returns that were settled."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "accounting_0008"
down_revision = "accounting_0007"


def upgrade() -> None:
    op.create_table(
        "return_settlement",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("return_id", sa.Uuid(), nullable=False),
        sa.Column("order_id", sa.Uuid(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_return_settlement")),
    )
    op.create_table(
        "unbilled_return",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("settlement_id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("line_id", sa.Uuid(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("net", sa.BigInteger(), nullable=False),
        sa.Column("tax", sa.BigInteger(), nullable=False),
        sa.Column("closes", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "settlement_id"],
            ["return_settlement.tenant_id", "return_settlement.id"],
            name=op.f("fk_unbilled_return_tenant_id_settlement_id_return_settlement"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_unbilled_return")),
    )
    op.create_index(
        op.f("ix_unbilled_return_tenant_id_settlement_id"), "unbilled_return", ["tenant_id", "settlement_id"]
    )
    op.create_index(
        op.f("ix_unbilled_return_tenant_id_shipment_id_line_id"),
        "unbilled_return",
        ["tenant_id", "shipment_id", "line_id"],
    )
    tenant_tables(op, "return_settlement", "unbilled_return")
