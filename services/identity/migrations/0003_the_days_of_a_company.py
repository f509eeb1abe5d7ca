"""The days of a company."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "identity_0003"
down_revision = "identity_0002"


def upgrade() -> None:
    op.add_column(
        "tenant",
        sa.Column(
            "time_zones",
            postgresql.JSONB(),
            server_default=sa.text('\'[{"since": "0001-01-01", "time_zone": "Etc/UTC"}]\'::jsonb'),
            nullable=False,
        ),
    )
