"""The company's days."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "partners_0003"
down_revision = "partners_0002"


def upgrade() -> None:
    op.create_table(
        "time_zone",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "since", name=op.f("pk_time_zone")),
    )
    tenant_tables(op, "time_zone")
