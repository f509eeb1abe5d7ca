"""Approvals, their processes and delegations."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "workflow_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "approval",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("document_id", sa.Uuid(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("requester_id", sa.Uuid(), nullable=True),
        sa.Column("attributes", postgresql.JSONB(), nullable=False),
        sa.Column("title", sa.Text(), nullable=True),
        sa.Column("text", sa.Text(), nullable=True),
        sa.Column("named", postgresql.JSONB(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("consequence", sa.Text(), nullable=True),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("process", sa.Text(), nullable=False),
        sa.Column("process_version", sa.BigInteger(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("decided_by", sa.Uuid(), nullable=True),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("consequence IN ('return', 'restart', 'fail')", name=op.f("ck_approval_consequence")),
        sa.CheckConstraint(
            "status IN ('pending', 'approved', 'rejected', 'recalled', 'voided')", name=op.f("ck_approval_status")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_approval")),
    )
    op.create_index(op.f("ix_approval_tenant_id_kind_document_id"), "approval", ["tenant_id", "kind", "document_id"])
    op.create_index(op.f("ix_approval_tenant_id_requester_id_id"), "approval", ["tenant_id", "requester_id", "id"])
    op.create_index(op.f("ix_approval_tenant_id_status_due_at_id"), "approval", ["tenant_id", "status", "due_at", "id"])
    op.create_table(
        "delegation",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("to_user_id", sa.Uuid(), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("ended", sa.Boolean(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_delegation")),
    )
    op.create_index(
        op.f("ix_delegation_tenant_id_to_user_id_ends_at"), "delegation", ["tenant_id", "to_user_id", "ends_at"]
    )
    op.create_index(op.f("ix_delegation_tenant_id_user_id_ends_at"), "delegation", ["tenant_id", "user_id", "ends_at"])
    op.create_table(
        "dry_run",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("matrix", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("documents", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dry_run")),
    )
    op.create_table(
        "dry_run_change",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("dry_run_id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("before", postgresql.JSONB(), nullable=False),
        sa.Column("after", postgresql.JSONB(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_dry_run_change")),
    )
    op.create_index(
        op.f("ix_dry_run_change_tenant_id_dry_run_id_id"), "dry_run_change", ["tenant_id", "dry_run_id", "id"]
    )
    op.create_table(
        "instance",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("state", postgresql.JSONB(), nullable=True),
        sa.Column("incident", sa.Text(), nullable=True),
        sa.Column("began_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "status IN ('waiting', 'incident', 'finished', 'cancelled')", name=op.f("ck_instance_status")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_instance")),
    )
    op.create_index(
        op.f("ix_instance_tenant_id_process_id_status_id"), "instance", ["tenant_id", "process_id", "status", "id"]
    )
    op.create_table(
        "process",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("kinds", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.BigInteger(), nullable=False),
        sa.Column("latest", sa.BigInteger(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_process")),
    )
    op.create_index(op.f("ix_process_tenant_id_key"), "process", ["tenant_id", "key"], unique=True)
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
        "user_copy",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("roles", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_user_copy")),
    )
    op.create_table(
        "comment",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "approval_id"],
            ["approval.tenant_id", "approval.id"],
            name=op.f("fk_comment_tenant_id_approval_id_approval"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_comment")),
    )
    op.create_index(op.f("ix_comment_tenant_id_approval_id_id"), "comment", ["tenant_id", "approval_id", "id"])
    op.create_table(
        "process_version",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("process_id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.LargeBinary(), nullable=False),
        sa.Column("decisions", postgresql.JSONB(), nullable=False),
        sa.Column("spec", postgresql.JSONB(), nullable=False),
        sa.Column("elements", postgresql.JSONB(), nullable=False),
        sa.ForeignKeyConstraint(
            ["tenant_id", "process_id"],
            ["process.tenant_id", "process.id"],
            name=op.f("fk_process_version_tenant_id_process_id_process"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_process_version")),
        sa.UniqueConstraint(
            "tenant_id", "process_id", "number", name=op.f("uq_process_version_tenant_id_process_id_number")
        ),
    )
    op.create_table(
        "task",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("approval_id", sa.Uuid(), nullable=False),
        sa.Column("engine_task", sa.Text(), nullable=False),
        sa.Column("element_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("round", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("mode", sa.Text(), nullable=False),
        sa.Column("users", postgresql.JSONB(), nullable=False),
        sa.Column("roles", postgresql.JSONB(), nullable=False),
        sa.Column("escalate", sa.Text(), nullable=True),
        sa.Column("reason_needed", sa.Boolean(), nullable=False),
        sa.Column("repeatable", sa.Boolean(), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("escalated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("claimed_by", sa.Uuid(), nullable=True),
        sa.CheckConstraint("status IN ('open', 'approved', 'rejected', 'cancelled')", name=op.f("ck_task_status")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "approval_id"],
            ["approval.tenant_id", "approval.id"],
            name=op.f("fk_task_tenant_id_approval_id_approval"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_task")),
    )
    op.create_index(op.f("ix_task_tenant_id_approval_id"), "task", ["tenant_id", "approval_id"])
    op.create_index(
        op.f("ix_task_tenant_id_status_id"),
        "task",
        ["tenant_id", "status", "id"],
        postgresql_where=sa.text("status = 'open'"),
    )
    op.create_table(
        "vote",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("task_id", sa.Uuid(), nullable=False),
        sa.Column("user_id", sa.Uuid(), nullable=False),
        sa.Column("on_behalf_of", sa.Uuid(), nullable=True),
        sa.Column("decision", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("consequence", sa.Text(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("consequence IN ('return', 'restart', 'fail')", name=op.f("ck_vote_consequence")),
        sa.CheckConstraint("decision IN ('approved', 'rejected')", name=op.f("ck_vote_decision")),
        sa.ForeignKeyConstraint(
            ["tenant_id", "task_id"], ["task.tenant_id", "task.id"], name=op.f("fk_vote_tenant_id_task_id_task")
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_vote")),
    )
    op.create_index(op.f("ix_vote_tenant_id_task_id"), "vote", ["tenant_id", "task_id"])
    op.create_index(op.f("ix_vote_tenant_id_user_id"), "vote", ["tenant_id", "user_id"])
    tenant_tables(
        op,
        "approval",
        "delegation",
        "dry_run",
        "dry_run_change",
        "instance",
        "process",
        "team_copy",
        "team_member_copy",
        "user_copy",
        "comment",
        "process_version",
        "task",
        "vote",
    )
