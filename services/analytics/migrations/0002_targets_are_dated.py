"""Targets of KPIs are dated. Those that are here already hold from the periods that were recorded with them."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "analytics_0002"
down_revision = "analytics_0001"


def upgrade() -> None:
    op.create_table(
        "kpi_target",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("kpi_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("set_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("target", sa.Numeric(precision=24, scale=6), nullable=False),
        sa.Column("near", sa.Numeric(precision=24, scale=6), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.CheckConstraint("direction IN ('up', 'down')", name=op.f("ck_kpi_target_direction")),
        sa.PrimaryKeyConstraint("tenant_id", "kpi_id", "number", name=op.f("pk_kpi_target")),
    )
    # Row-level security shows the owner no row.
    tables = ("kpi", "kpi_result", "time_zone")
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute(_FILL)
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
    tenant_tables(op, "kpi_target")


# What was near was not recorded: it is today's, as far as that lies on the right side of the target.
_FILL = """
WITH recorded AS (
    SELECT *, lag(target) OVER one AS before, lead(id) OVER one AS following
    FROM kpi_result WINDOW one AS (PARTITION BY tenant_id, kpi_id ORDER BY begins_on)
), said AS (
    SELECT tenant_id, kpi_id, begins_on AS valid_from, created_at AS set_at, target, false AS unrecorded
    FROM recorded WHERE before IS DISTINCT FROM target
    UNION ALL
    SELECT kpi.tenant_id, kpi.id, date_trunc(kpi.period, kpi.updated_at AT TIME ZONE coalesce(days.zone, 'UTC'))::date,
           kpi.updated_at, kpi.target, true
    FROM kpi
    LEFT JOIN recorded ON recorded.tenant_id = kpi.tenant_id AND recorded.kpi_id = kpi.id AND following IS NULL
    LEFT JOIN LATERAL (
        SELECT zone FROM time_zone WHERE time_zone.tenant_id = kpi.tenant_id ORDER BY since DESC LIMIT 1
    ) AS days ON true
    WHERE recorded.target IS DISTINCT FROM kpi.target
)
INSERT INTO kpi_target (tenant_id, kpi_id, number, valid_from, set_at, target, near, direction)
SELECT kpi.tenant_id, kpi.id,
       row_number() OVER (PARTITION BY kpi.tenant_id, kpi.id ORDER BY said.unrecorded, said.valid_from),
       said.valid_from, said.set_at, said.target,
       CASE kpi.direction WHEN 'up' THEN least(kpi.near, said.target) ELSE greatest(kpi.near, said.target) END,
       kpi.direction
FROM kpi JOIN said ON said.tenant_id = kpi.tenant_id AND said.kpi_id = kpi.id
"""
