"""Documents, movements and what is measured."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "analytics_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "dashboard",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("parent_id", sa.Uuid(), nullable=True),
        sa.Column("tiles", postgresql.JSONB(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dashboard")),
    )
    op.create_index(
        op.f("ix_dashboard_tenant_id_code_key"),
        "dashboard",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_dashboard_tenant_id_created_at_id"), "dashboard", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_dashboard_tenant_id_name_id"), "dashboard", ["tenant_id", "name", "id"])
    op.create_index(op.f("ix_dashboard_tenant_id_parent_id"), "dashboard", ["tenant_id", "parent_id"])
    op.create_table(
        "document",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=True),
        sa.Column("last_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("standing", postgresql.JSONB(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('approval', 'credit_note', 'customer', 'delivery', 'goods_issue', 'goods_receipt', 'invoice', 'lead', "
            "'meeting', 'opportunity', 'order', 'payment', 'quote', 'task')",
            name=op.f("ck_document_kind"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", "kind", name=op.f("pk_document")),
    )
    op.create_index(
        op.f("ix_document_tenant_id_id"),
        "document",
        ["tenant_id", "id"],
        postgresql_where=sa.text("kind = 'delivery'"),
    )
    op.create_table(
        "lake_export",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("exported", sa.BigInteger(), nullable=False),
        sa.Column("numbered", sa.BigInteger(), nullable=False),
        sa.Column("exported_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", name=op.f("pk_lake_export")),
    )
    op.create_table(
        "heard",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "topic", "partition", name=op.f("pk_heard")),
    )
    op.create_table(
        "kpi",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("period", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("subject_id", sa.Uuid(), nullable=True),
        sa.Column("target", sa.Numeric(precision=24, scale=6), nullable=False),
        sa.Column("near", sa.Numeric(precision=24, scale=6), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("direction IN ('up', 'down')", name=op.f("ck_kpi_direction")),
        sa.CheckConstraint(
            "measure IN ('orders_confirmed', 'orders_cancelled', 'order_net_confirmed', 'order_net_shipped', "
            "'order_amount_invoiced', 'order_amount_paid', 'quotes_sent', 'quotes_accepted', 'quote_acceptance', "
            "'opportunities_won', 'opportunity_amount_won', 'opportunity_win_rate', 'customers_added', 'meetings_held', "
            "'tasks_completed', 'tasks_on_time_rate', 'approvals_answered', 'approval_average_seconds')",
            name=op.f("ck_kpi_measure"),
        ),
        sa.CheckConstraint("period IN ('day', 'week', 'month', 'quarter')", name=op.f("ck_kpi_period")),
        sa.CheckConstraint("subject IN ('company', 'person', 'team')", name=op.f("ck_kpi_subject")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_kpi")),
    )
    op.create_index(
        op.f("ix_kpi_tenant_id_code_key"),
        "kpi",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_kpi_tenant_id_created_at_id"), "kpi", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_kpi_tenant_id_name_id"), "kpi", ["tenant_id", "name", "id"])
    op.create_table(
        "kpi_result",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("kpi_id", sa.Uuid(), nullable=False),
        sa.Column("begins_on", sa.Date(), nullable=False),
        sa.Column("ends_on", sa.Date(), nullable=False),
        sa.Column("value", sa.Numeric(precision=24, scale=6), nullable=True),
        sa.Column("target", sa.Numeric(precision=24, scale=6), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("over", sa.Boolean(), nullable=False),
        sa.Column("as_of", sa.DateTime(timezone=True), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("state IN ('none', 'missed', 'near', 'met')", name=op.f("ck_kpi_result_state")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_kpi_result")),
    )
    op.create_index(
        op.f("ix_kpi_result_tenant_id_kpi_id_begins_on_id"), "kpi_result", ["tenant_id", "kpi_id", "begins_on", "id"]
    )
    op.create_table(
        "membership",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("team_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "team_id", "user_id", "since", name=op.f("pk_membership")),
    )
    op.create_index(op.f("ix_membership_tenant_id_since_user_id"), "membership", ["tenant_id", "since", "user_id"])
    op.create_table(
        "movement",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("known_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=True),
        sa.Column("customer_id", sa.Uuid(), nullable=True),
        sa.Column("currency", sa.Text(), nullable=True),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("segment", sa.Text(), nullable=True),
        sa.Column("came_of_id", sa.Uuid(), nullable=True),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("seconds", sa.BigInteger(), nullable=False),
        sa.Column("item_id", sa.Uuid(), nullable=True),
        sa.Column("warehouse_id", sa.Uuid(), nullable=True),
        sa.Column("quantity", sa.BigInteger(), nullable=False),
        sa.Column("event_id", sa.Uuid(), nullable=False),
        sa.CheckConstraint(
            "kind IN ('approval', 'credit_note', 'customer', 'delivery', 'goods_issue', 'goods_receipt', 'invoice', 'lead', "
            "'meeting', 'opportunity', 'order', 'payment', 'quote', 'task')",
            name=op.f("ck_movement_kind"),
        ),
        sa.CheckConstraint(
            "measure IN ('approval_approved', 'approval_open', 'approval_recalled', 'approval_rejected', "
            "'approval_requested', 'approval_voided', 'credit_note_issued', 'customer_added', 'customer_deleted', "
            "'customer_standing', 'goods_issued', 'goods_received', 'goods_returned', 'invoice_issued', "
            "'lead_converted', 'lead_created', 'lead_lost', 'lead_qualified', "
            "'meeting_cancelled', 'meeting_created', 'meeting_held', 'meeting_planned', 'opportunity_created', "
            "'opportunity_lost', 'opportunity_open', 'opportunity_won', 'order_cancelled', 'order_confirmed', "
            "'order_invoiced', 'order_paid', 'order_placed', 'order_shipped', 'payment_received', 'payment_reversed', "
            "'quote_accepted', 'quote_cancelled', 'quote_declined', 'quote_expired', 'quote_made', 'quote_sent', "
            "'task_cancelled', 'task_completed', 'task_created', 'task_due', 'task_late', 'task_on_time', 'task_open')",
            name=op.f("ck_movement_measure"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_movement")),
    )
    op.create_index(op.f("ix_movement_tenant_id_document_id"), "movement", ["tenant_id", "document_id"])
    op.create_index(
        op.f("ix_movement_tenant_id_measure_at"),
        "movement",
        ["tenant_id", "measure", "at"],
        postgresql_include=[
            "known_at",
            "owner_id",
            "customer_id",
            "currency",
            "label",
            "segment",
            "item_id",
            "warehouse_id",
            "count",
            "amount",
            "seconds",
            "quantity",
        ],
    )
    op.create_index(op.f("ix_movement_tenant_id_owner_id_id"), "movement", ["tenant_id", "owner_id", "id"])
    op.create_table(
        "queued_movement",
        sa.Column("number", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("owner_id", sa.Uuid(), nullable=False),
        sa.Column("movement_id", sa.Uuid(), nullable=False),
        sa.Column("gone", sa.Boolean(), nullable=False),
        sa.Column("batch", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_queued_movement")),
    )
    op.create_index(
        "ix_queued_movement_owner_id_gone", "queued_movement", ["owner_id"], postgresql_where=sa.text("gone")
    )
    op.create_index("ix_queued_movement_owner_id_movement_id", "queued_movement", ["owner_id", "movement_id"])
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
        "dashboard",
        "document",
        "lake_export",
        "heard",
        "kpi",
        "kpi_result",
        "membership",
        "movement",
        "team_copy",
        "team_member_copy",
        "time_zone",
        "user_copy",
    )
    op.execute(_QUEUE)
    # Whatever makes a movement or takes it away, a rebuild included: the lake hears of it in the same transaction.
    for event, rows, gone in (("INSERT", "NEW", "false"), ("UPDATE", "OLD", "true"), ("DELETE", "OLD", "true")):
        op.execute(
            f"CREATE TRIGGER queue_{event.lower()} AFTER {event} ON movement REFERENCING {rows} TABLE AS changed "
            f"FOR EACH STATEMENT EXECUTE FUNCTION queue_movements({gone})"
        )


_QUEUE = """
CREATE FUNCTION queue_movements() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO public.queued_movement (owner_id, movement_id, gone) SELECT tenant_id, id, TG_ARGV[0]::boolean FROM changed;
    RETURN NULL;
END
$$
"""
