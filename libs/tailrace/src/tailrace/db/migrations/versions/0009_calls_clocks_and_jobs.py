"""Payloads of timers, schedules, calls to others, and jobs."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables
from tailrace.db.tables import (
    errand,
    errand_turn,
    job,
    job_mark,
    job_piece,
    job_queue,
    metadata,
    schedule_expression,
    timer_payload,
)

revision = "kit_0009"
down_revision = "kit_0008"

_OF_TENANTS = (timer_payload, schedule_expression, errand, job, job_piece, job_mark)


def upgrade() -> None:
    """A database that is made today has them by the first migration."""
    there = sa.inspect(op.get_bind()).get_table_names()
    new = [table for table in _OF_TENANTS if table.name not in there]
    metadata.create_all(op.get_bind(), tables=[*new, errand_turn, job_queue])
    if new:
        tenant_tables(op, *(table.name for table in new))


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
