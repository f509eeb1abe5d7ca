"""Partners come by HTTP too, and processes share who is filled."""

import sqlalchemy as sa
from alembic import op

revision = "partners_0002"
down_revision = "partners_0001"


def upgrade() -> None:
    op.create_table(
        "filler",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_filler")),
    )
    op.add_column("filling", sa.Column("holder", sa.Uuid(), nullable=True))
    op.add_column("filling", sa.Column("behind", sa.BigInteger(), nullable=True))
    op.add_column("filling", sa.Column("told", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("filling", sa.Column("lately", sa.BigInteger(), server_default=sa.text("0"), nullable=False))
    op.add_column("filling", sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_table(
        "login",
        sa.Column("partner_id", sa.Uuid(), nullable=False),
        sa.Column("credential", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("partner_id", name=op.f("pk_login")),
    )
    # Row-level security shows the owner no row.
    op.execute("ALTER TABLE partner NO FORCE ROW LEVEL SECURITY")
    op.execute(
        "INSERT INTO login (partner_id, credential)"
        " SELECT id, credential FROM partner WHERE status IN ('opening', 'open')"
    )
    op.execute("ALTER TABLE partner FORCE ROW LEVEL SECURITY")
