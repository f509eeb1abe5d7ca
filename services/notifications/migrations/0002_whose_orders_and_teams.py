"""Teams, and whose an order is, of which customer, and by what number."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "notifications_0002"
down_revision = "notifications_0001"


def upgrade() -> None:
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
    op.add_column("document_copy", sa.Column("number", sa.Text(), nullable=True))
    op.add_column("document_copy", sa.Column("customer_id", sa.Uuid(), nullable=True))
    op.add_column("document_copy", sa.Column("owner_id", sa.Uuid(), nullable=True))
    tenant_tables(op, "team_copy", "team_member_copy")
    # Nobody subscribes to messages any more, and no channel has kinds to no effect. Rows of every tenant are written here, which the owner may while
    # its tables are not under force.
    tables = ("subscription", "notification_channel")
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("DELETE FROM subscription WHERE kind = 'message'")
    op.execute("UPDATE notification_channel SET kinds = '[]' WHERE user_id IS NOT NULL")
    op.execute("UPDATE notification_channel SET kinds = kinds - 'message' WHERE kinds ? 'message'")
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
