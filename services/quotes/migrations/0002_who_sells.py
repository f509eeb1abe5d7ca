"""Who sells a quote: a user, seen by their team, whose quotes go to the one who takes over."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "quotes_0002"
down_revision = "quotes_0001"


def upgrade() -> None:
    op.create_table(
        "leaver",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name=op.f("pk_leaver")),
    )
    op.create_table(
        "team_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("deputy_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_team_copy")),
    )
    op.create_index(op.f("ix_team_copy_tenant_id_parent_id"), "team_copy", ["tenant_id", "parent_id"])
    op.create_table(
        "team_member_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "team_id", "user_id", name=op.f("pk_team_member_copy")),
    )
    op.create_index(op.f("ix_team_member_copy_tenant_id_user_id"), "team_member_copy", ["tenant_id", "user_id"])
    op.create_table(
        "user_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user_copy")),
    )
    op.add_column("customer_copy", sa.Column("sales_rep_id", sa.Uuid(), nullable=True))
    op.add_column("quote", sa.Column("owner_name", sa.Text(), nullable=True))
    tenant_tables(op, "leaver", "team_copy", "team_member_copy", "user_copy")
