"""Periods that are closed, and journals that keep the moment they were meant for."""

import sqlalchemy as sa
from alembic import op

revision = "accounting_0002"
down_revision = "accounting_0001"


def upgrade() -> None:
    for name in ("closed", "year_end"):
        op.add_column("period", sa.Column(name, sa.Boolean, nullable=False, server_default=sa.text("false")))
    op.add_column("journal", sa.Column("source_effective_at", sa.DateTime(timezone=True)))


def downgrade() -> None:
    raise RuntimeError("the ledger only goes forward")
