"""partners."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "partners_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "filling",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("types", postgresql.JSONB(), nullable=False),
        sa.Column("personal", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("personal IN ('omitted', 'masked', 'plain')", name=op.f("ck_filling_personal")),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_filling")),
    )
    op.create_table(
        "partner",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("types", postgresql.JSONB(), nullable=False),
        sa.Column("personal", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("credential", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("personal IN ('omitted', 'masked', 'plain')", name=op.f("ck_partner_personal")),
        sa.CheckConstraint("status IN ('opening', 'open', 'closing', 'closed')", name=op.f("ck_partner_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_partner")),
    )
    tenant_tables(op, "partner")
