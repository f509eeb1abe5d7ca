"""When a call to others was last tried, and why that settled nothing."""

import sqlalchemy as sa
from alembic import op

revision = "kit_0011"
down_revision = "kit_0010"


def upgrade() -> None:
    """A database that is made today has them by the first migration."""
    there = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("errand")}
    if "last_error" not in there:
        op.add_column("errand", sa.Column("tried_at", sa.DateTime(timezone=True)))
        op.add_column("errand", sa.Column("last_error", sa.Text()))


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
