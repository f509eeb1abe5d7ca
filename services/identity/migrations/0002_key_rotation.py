"""A key signs from a moment on, and can be revoked."""

import sqlalchemy as sa
from alembic import op

revision = "identity_0002"
down_revision = "identity_0001"


def upgrade() -> None:
    op.add_column("signing_key", sa.Column("signs_from", sa.DateTime(timezone=True)))
    op.add_column("signing_key", sa.Column("revoked_at", sa.DateTime(timezone=True)))
    op.execute("UPDATE signing_key SET signs_from = created_at")
    op.alter_column("signing_key", "signs_from", nullable=False)


def downgrade() -> None:
    raise RuntimeError("identity only goes forward")
