"""Kept sums of the forecast, and whose customer a lead was itself."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables

revision = "opportunities_0002"
down_revision = "opportunities_0001"

_CHANGES = """
INSERT INTO forecast_change (tenant_id, id, at, owner_id, team_id, pipeline_id, stage, standing, currency, month, opportunities,
  amount, staged, likely)
SELECT tenant_id, gen_random_uuid(), {at}, owner_id, team_id, pipeline_id, stage, CASE status WHEN 'open' THEN category ELSE 'won' END, currency,
  date_trunc('month', close_on)::date, {sign}, {sign} * amount, CASE WHEN status = 'open' AND probability IS NULL THEN {sign} * amount ELSE 0 END,
  CASE status WHEN 'open' THEN coalesce({sign} * amount * probability, 0) ELSE 0 END
FROM opportunity_moment WHERE status IN ('open', 'won') AND {at} IS NOT NULL
"""


def upgrade() -> None:
    op.create_table(
        "forecast_change",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("opportunities", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("staged", sa.BigInteger(), nullable=False),
        sa.Column("likely", sa.Numeric(precision=30, scale=6), nullable=False),
        sa.CheckConstraint(
            "standing IN ('won', 'omitted', 'pipeline', 'best', 'committed')", name=op.f("ck_forecast_change_standing")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_forecast_change")),
    )
    op.create_index(op.f("ix_forecast_change_tenant_id_at"), "forecast_change", ["tenant_id", "at"])
    op.create_table(
        "forecast_sum",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("bucket", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("standing", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("month", sa.Date(), nullable=False),
        sa.Column("opportunities", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("staged", sa.BigInteger(), nullable=False),
        sa.Column("likely", sa.Numeric(precision=30, scale=6), nullable=False),
        sa.CheckConstraint(
            "standing IN ('won', 'omitted', 'pipeline', 'best', 'committed')", name=op.f("ck_forecast_sum_standing")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_forecast_sum")),
        sa.UniqueConstraint("tenant_id", "bucket", "since", name=op.f("uq_forecast_sum_tenant_id_bucket_since")),
    )
    op.create_index(
        op.f("ix_forecast_sum_tenant_id_month"),
        "forecast_sum",
        ["tenant_id", "month"],
        postgresql_where=sa.text("until IS NULL"),
    )
    op.create_index(op.f("ix_forecast_sum_tenant_id_month_until"), "forecast_sum", ["tenant_id", "month", "until"])
    op.add_column("lead", sa.Column("own_customer_id", sa.Uuid(), nullable=True))
    op.create_index(op.f("ix_lead_tenant_id_own_customer_id"), "lead", ["tenant_id", "own_customer_id"])
    op.create_index(
        op.f("ix_opportunity_tenant_id_own_customer_id_id"), "opportunity", ["tenant_id", "own_customer_id", "id"]
    )
    op.create_index(
        op.f("ix_opportunity_tenant_id_pipeline_id_stage_stage_since"),
        "opportunity",
        ["tenant_id", "pipeline_id", "stage", "stage_since"],
        postgresql_where=sa.text("deleted_at IS NULL AND status = 'open'"),
    )
    op.drop_index(
        op.f("ix_opportunity_moment_tenant_id_close_on"),
        table_name="opportunity_moment",
        postgresql_where="((until IS NULL) AND (status <> 'deleted'::text))",
    )
    op.drop_index(op.f("ix_opportunity_moment_tenant_id_close_on_since"), table_name="opportunity_moment")
    op.create_index(op.f("ix_opportunity_moment_tenant_id_since"), "opportunity_moment", ["tenant_id", "since"])
    op.create_index(op.f("ix_opportunity_moment_tenant_id_until"), "opportunity_moment", ["tenant_id", "until"])
    tenant_tables(op, "forecast_change", "forecast_sum")
    # Rows of every tenant are written here, which the owner may while its tables are not under force.
    tables = ("opportunity_moment", "forecast_change", "lead")
    for table in tables:
        op.execute(f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")
    op.execute("UPDATE lead SET own_customer_id = customer_id")
    for sign, at in ((1, "since"), (-1, "until")):
        op.execute(_CHANGES.format(sign=sign, at=at))
    for table in tables:
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
