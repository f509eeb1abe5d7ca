"""Partners come by HTTP too."""

import sqlalchemy as sa
from alembic import op

revision = "partners_0002"
down_revision = "partners_0001"


def upgrade() -> None:
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
