"""The store holds archives that a hold keeps."""

import sqlalchemy as sa
from alembic import op

revision = "audit_0005"
down_revision = "audit_0004"


def upgrade() -> None:
    op.add_column("archive", sa.Column("held", sa.Boolean(), nullable=False, server_default=sa.false()))
    op.alter_column("archive", "held", server_default=None)
