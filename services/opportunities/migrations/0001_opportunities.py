"""Leads, opportunities, and what is kept of others."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "opportunities_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "customer_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("sales_rep_id", sa.Uuid(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_customer_copy")),
    )
    op.create_table(
        "customer_mark",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("mark", sa.BigInteger(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", "mark", name=op.f("pk_customer_mark")),
    )
    op.create_index(op.f("ix_customer_mark_tenant_id_mark"), "customer_mark", ["tenant_id", "mark"])
    op.create_table(
        "customer_turn",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("from_customer_id", sa.Uuid(), nullable=True),
        sa.Column("turned_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("after_id", sa.Uuid()),
        sa.CheckConstraint("what IN ('merged', 'unmerged', 'deleted', 'restored')", name=op.f("ck_customer_turn_what")),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", name=op.f("pk_customer_turn")),
    )
    op.create_table(
        "form_answer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("salt", sa.Text(), nullable=False),
        sa.Column("answered_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "form_id", "salt", name=op.f("pk_form_answer")),
    )
    op.create_index(op.f("ix_form_answer_tenant_id_answered_at"), "form_answer", ["tenant_id", "answered_at"])
    op.create_table(
        "form_use",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=False),
        sa.Column("hour", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "form_id", "hour", "who", name=op.f("pk_form_use")),
    )
    op.create_index(op.f("ix_form_use_tenant_id_hour"), "form_use", ["tenant_id", "hour"])
    op.create_table(
        "item_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_item_copy")),
    )
    op.create_table(
        "lead",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("company", sa.Text(), nullable=True),
        sa.Column("position", sa.Text(), nullable=True),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("country", sa.Text(), nullable=True),
        sa.Column("language", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("amount", sa.BigInteger(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("reference", sa.Text(), nullable=True),
        sa.Column("via", sa.Text(), nullable=False),
        sa.Column("form_id", sa.Uuid(), nullable=True),
        sa.Column("answers", postgresql.JSONB(), nullable=False),
        sa.Column("consent", postgresql.JSONB(), nullable=True),
        sa.Column("sent", sa.BigInteger(), nullable=False),
        sa.Column("last_sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("rule", sa.Text(), nullable=True),
        sa.Column("score", sa.BigInteger(), nullable=False),
        sa.Column("score_reasons", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("handing", sa.Text(), nullable=True),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("opportunity_id", sa.Uuid(), nullable=True),
        sa.Column("match_keys", postgresql.JSONB(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("masked_text", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("handing IN ('asked', 'done', 'refused')", name=op.f("ck_lead_handing")),
        sa.CheckConstraint("status IN ('new', 'qualified', 'converted', 'lost')", name=op.f("ck_lead_status")),
        sa.CheckConstraint("via IN ('api', 'form', 'import')", name=op.f("ck_lead_via")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lead")),
    )
    op.create_index(op.f("ix_lead_tenant_id_created_at_id"), "lead", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_lead_tenant_id_customer_id"), "lead", ["tenant_id", "customer_id"])
    op.create_index(op.f("ix_lead_tenant_id_opportunity_id"), "lead", ["tenant_id", "opportunity_id"])
    op.create_index(op.f("ix_lead_tenant_id_name_id"), "lead", ["tenant_id", "name", "id"])
    op.create_index(op.f("ix_lead_tenant_id_owner_id_id"), "lead", ["tenant_id", "owner_id", "id"])
    op.create_index(op.f("ix_lead_tenant_id_score_id"), "lead", ["tenant_id", "score", "id"])
    op.create_index(op.f("ix_lead_tenant_id_status_id"), "lead", ["tenant_id", "status", "id"])
    op.create_index(op.f("ix_lead_tenant_id_team_id_id"), "lead", ["tenant_id", "team_id", "id"])
    op.create_table(
        "lead_form",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("fields", postgresql.JSONB(), nullable=False),
        sa.Column("origins", postgresql.JSONB(), nullable=False),
        sa.Column("consent_text", sa.Text(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("min_seconds", sa.BigInteger(), nullable=False),
        sa.Column("work", sa.BigInteger(), nullable=False),
        sa.Column("per_address", sa.BigInteger(), nullable=False),
        sa.Column("per_hour", sa.BigInteger(), nullable=False),
        sa.Column("same_within_days", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_lead_form")),
    )
    op.create_index(
        op.f("ix_lead_form_tenant_id_code_key"),
        "lead_form",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_lead_form_tenant_id_created_at_id"), "lead_form", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_lead_form_tenant_id_name_id"), "lead_form", ["tenant_id", "name", "id"])
    op.create_table(
        "leaver",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("successor_id", sa.Uuid(), nullable=True),
        sa.Column("left_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name=op.f("pk_leaver")),
    )
    op.create_table(
        "merge_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("into_customer_id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_merge_copy")),
    )
    op.create_table(
        "opportunity",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("own_customer_id", sa.Uuid(), nullable=False),
        sa.Column("customer_there", sa.Boolean(), nullable=False),
        sa.Column("contact_id", sa.Uuid(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("stage_since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("probability", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("expected_close_on", sa.Date(), nullable=False),
        sa.Column("closed_on", sa.Date(), nullable=True),
        sa.Column("source", sa.Text(), nullable=True),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("competitors", postgresql.JSONB(), nullable=False),
        sa.Column("lines", postgresql.JSONB(), nullable=False),
        sa.Column("reason_id", sa.Uuid(), nullable=True),
        sa.Column("outcome_note", sa.Text(), nullable=True),
        sa.Column("proposal", postgresql.JSONB(), nullable=True),
        sa.Column("quote_id", sa.Uuid(), nullable=True),
        sa.Column("ended_by_customer", sa.Boolean(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=False),
        sa.Column("masked_text", sa.Text(), server_default="", nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint(
            "category IN ('omitted', 'pipeline', 'best', 'committed')", name=op.f("ck_opportunity_category")
        ),
        sa.CheckConstraint("status IN ('open', 'won', 'lost')", name=op.f("ck_opportunity_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_opportunity")),
    )
    op.create_index(op.f("ix_opportunity_tenant_id_amount_id"), "opportunity", ["tenant_id", "amount", "id"])
    op.create_index(op.f("ix_opportunity_tenant_id_created_at_id"), "opportunity", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_opportunity_tenant_id_customer_id_id"), "opportunity", ["tenant_id", "customer_id", "id"])
    op.create_index(
        op.f("ix_opportunity_tenant_id_expected_close_on_id"), "opportunity", ["tenant_id", "expected_close_on", "id"]
    )
    op.create_index(op.f("ix_opportunity_tenant_id_lead_id"), "opportunity", ["tenant_id", "lead_id"])
    op.create_index(op.f("ix_opportunity_tenant_id_name_id"), "opportunity", ["tenant_id", "name", "id"])
    op.create_index(op.f("ix_opportunity_tenant_id_number"), "opportunity", ["tenant_id", "number"], unique=True)
    op.create_index(op.f("ix_opportunity_tenant_id_owner_id_id"), "opportunity", ["tenant_id", "owner_id", "id"])
    op.create_index(
        op.f("ix_opportunity_tenant_id_pipeline_id_stage_id"),
        "opportunity",
        ["tenant_id", "pipeline_id", "stage", "id"],
        postgresql_where=sa.text("deleted_at IS NULL AND status = 'open'"),
    )
    op.create_index(op.f("ix_opportunity_tenant_id_status_id"), "opportunity", ["tenant_id", "status", "id"])
    op.create_index(op.f("ix_opportunity_tenant_id_team_id_id"), "opportunity", ["tenant_id", "team_id", "id"])
    op.create_table(
        "opportunity_moment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("opportunity_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("team_id", sa.Uuid(), nullable=True),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("probability", sa.Numeric(precision=9, scale=6), nullable=True),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("close_on", sa.Date(), nullable=False),
        sa.CheckConstraint(
            "category IN ('omitted', 'pipeline', 'best', 'committed')", name=op.f("ck_opportunity_moment_category")
        ),
        sa.CheckConstraint("status IN ('open', 'won', 'lost', 'deleted')", name=op.f("ck_opportunity_moment_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_opportunity_moment")),
    )
    op.create_index(
        op.f("ix_opportunity_moment_tenant_id_close_on"),
        "opportunity_moment",
        ["tenant_id", "close_on"],
        postgresql_where=sa.text("until IS NULL AND status <> 'deleted'"),
    )
    op.create_index(
        op.f("ix_opportunity_moment_tenant_id_close_on_since"), "opportunity_moment", ["tenant_id", "close_on", "since"]
    )
    op.create_index(
        op.f("ix_opportunity_moment_tenant_id_opportunity_id_since"),
        "opportunity_moment",
        ["tenant_id", "opportunity_id", "since"],
    )
    op.create_table(
        "pipeline",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("stages", postgresql.JSONB(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_pipeline")),
    )
    op.create_index(
        op.f("ix_pipeline_tenant_id_code_key"),
        "pipeline",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_pipeline_tenant_id_created_at_id"), "pipeline", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_pipeline_tenant_id_name_id"), "pipeline", ["tenant_id", "name", "id"])
    op.create_table(
        "policy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("content", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("kind IN ('scoring', 'assignment', 'closing')", name=op.f("ck_policy_kind")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_policy")),
    )
    op.create_table(
        "quota",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_quota")),
    )
    op.create_index(op.f("ix_quota_tenant_id_owner_id_id"), "quota", ["tenant_id", "owner_id", "id"])
    op.create_index(op.f("ix_quota_tenant_id_period_id"), "quota", ["tenant_id", "period", "id"])
    op.create_table(
        "reason",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("outcome IN ('won', 'lost')", name=op.f("ck_reason_outcome")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_reason")),
    )
    op.create_index(
        op.f("ix_reason_tenant_id_code_key"),
        "reason",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_reason_tenant_id_created_at_id"), "reason", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_reason_tenant_id_name_id"), "reason", ["tenant_id", "name", "id"])
    op.create_table(
        "rotation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("last_user_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "rule", name=op.f("pk_rotation")),
    )
    op.create_table(
        "stage_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("pipeline_id", sa.Uuid(), nullable=False),
        sa.Column("stage", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("probability", sa.Numeric(precision=9, scale=6), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_stage_version")),
    )
    op.create_index(
        op.f("ix_stage_version_tenant_id_pipeline_id_stage_since"),
        "stage_version",
        ["tenant_id", "pipeline_id", "stage", "since"],
    )
    op.create_table(
        "team_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("lead_id", sa.Uuid(), nullable=True),
        sa.Column("deputy_id", sa.Uuid(), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_team_copy")),
    )
    op.create_index(op.f("ix_team_copy_tenant_id_parent_id"), "team_copy", ["tenant_id", "parent_id"])
    op.create_table(
        "team_member_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "team_id", "user_id", name=op.f("pk_team_member_copy")),
    )
    op.create_index(op.f("ix_team_member_copy_tenant_id_user_id"), "team_member_copy", ["tenant_id", "user_id"])
    op.create_table(
        "time_zone",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "since", name=op.f("pk_time_zone")),
    )
    op.create_table(
        "user_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user_copy")),
    )
    tenant_tables(
        op,
        "customer_copy",
        "customer_mark",
        "customer_turn",
        "form_answer",
        "form_use",
        "item_copy",
        "lead",
        "lead_form",
        "leaver",
        "merge_copy",
        "opportunity",
        "opportunity_moment",
        "pipeline",
        "policy",
        "quota",
        "reason",
        "rotation",
        "stage_version",
        "team_copy",
        "team_member_copy",
        "time_zone",
        "user_copy",
    )
