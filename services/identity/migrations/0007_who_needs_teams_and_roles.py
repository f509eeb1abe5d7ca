"""Who needs teams and roles."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "identity_0007"
down_revision = "identity_0006"


def upgrade() -> None:
    op.create_table(
        "use",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("used_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=True),
        sa.Column("link", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "used_id", "kind", "user_id", name=op.f("pk_use")),
    )
    op.create_index(op.f("ix_use_tenant_id_user_id_kind"), "use", ["tenant_id", "user_id", "kind"])
    tenant_tables(op, "use")
