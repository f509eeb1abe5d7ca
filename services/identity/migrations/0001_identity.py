"""Tenants, people, roles, sessions, keys and the audit log."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

from tailrace.db.row_security import insert_only, tenant_tables

revision = "identity_0001"
down_revision = None

PLATFORM = "49b201e6-adb3-5357-afe9-f8e3806db8ef"
_LIVE = sa.text("deleted_at IS NULL")


def upgrade() -> None:
    _platform()
    _people()
    _sessions()
    _audit()
    tenant_tables(
        op,
        *("tenant", "role", "user_account", "user_role", "credential"),
        *("user_session", "refresh_token", "log_in_failures", "audit_log"),
    )
    # The operator's tenant reads all tenants, and changes none but its own.
    op.execute(
        "CREATE POLICY operator ON tenant FOR SELECT"
        f" USING (nullif(current_setting('app.tenant_id', true), '')::uuid = '{PLATFORM}')"
    )
    insert_only(op, "audit_log")


def _platform() -> None:
    op.create_table(
        "tenant_slug",
        sa.Column("slug", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("slug", name="pk_tenant_slug"),
    )
    op.create_table(
        "signing_key",
        sa.Column("id", sa.Text, nullable=False),
        sa.Column("public_key", JSONB, nullable=False),
        sa.Column("private_key", sa.LargeBinary, nullable=False),
        _time("created_at", server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("id", name="pk_signing_key"),
    )


def _people() -> None:
    op.create_table(
        "tenant",
        *_aggregate(
            sa.Column("slug", sa.Text, nullable=False),
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("currency", sa.Text, nullable=False),
            sa.Column("industry", sa.Text),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_tenant"),
        sa.CheckConstraint("id = tenant_id", name=op.f("ck_tenant_own")),
    )
    op.create_table(
        "role",
        *_aggregate(
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("scopes", JSONB, nullable=False),
            _time("deleted_at", nullable=True),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_role"),
    )
    op.create_index("uq_role_live_name", "role", ["tenant_id", "name"], unique=True, postgresql_where=_LIVE)
    op.create_table(
        "user_account",
        *_aggregate(
            sa.Column("email", sa.Text, nullable=False),
            sa.Column("name", sa.Text, nullable=False),
            sa.Column("active", sa.Boolean, nullable=False),
            _time("deleted_at", nullable=True),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_user_account"),
    )
    op.create_index(
        "uq_user_account_live_email", "user_account", ["tenant_id", "email"], unique=True, postgresql_where=_LIVE
    )
    op.create_table(
        "user_role",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("role_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", "role_id", name="pk_user_role"),
        _reference("user_role", "user_id", "user_account"),
        _reference("user_role", "role_id", "role"),
    )
    op.create_index("ix_user_role_role_id", "user_role", ["tenant_id", "role_id"])
    op.create_table(
        "credential",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.Column("password_hash", sa.Text, nullable=False),
        _time("changed_at", server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "user_id", name="pk_credential"),
        _reference("credential", "user_id", "user_account"),
    )


def _sessions() -> None:
    op.create_table(
        "user_session",
        *_aggregate(
            sa.Column("user_id", sa.Uuid, nullable=False),
            _time("ended_at", nullable=True),
            sa.Column("end_reason", sa.Text),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_user_session"),
        _reference("user_session", "user_id", "user_account"),
    )
    op.create_index(
        "ix_user_session_open", "user_session", ["tenant_id", "user_id"], postgresql_where=sa.text("ended_at IS NULL")
    )
    op.create_table(
        "refresh_token",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("token_hash", sa.LargeBinary, nullable=False),
        sa.Column("session_id", sa.Uuid, nullable=False),
        _time("expires_at"),
        _time("used_at", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "token_hash", name="pk_refresh_token"),
        _reference("refresh_token", "session_id", "user_session"),
    )
    op.create_index("ix_refresh_token_session_id", "refresh_token", ["tenant_id", "session_id"])
    op.create_table(
        "log_in_failures",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("failures", sa.BigInteger, nullable=False),
        _time("last_at"),
        _time("locked_until", nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "email", name="pk_log_in_failures"),
    )
    op.create_index("ix_log_in_failures_last_at", "log_in_failures", ["tenant_id", "last_at"])


def _audit() -> None:
    op.create_table(
        "audit_log",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        _time("at", server_default=sa.func.now()),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("actor_id", sa.Uuid),
        sa.Column("subject_id", sa.Uuid),
        sa.Column("ip", sa.Text),
        sa.Column("user_agent", sa.Text),
        sa.Column("details", JSONB, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_audit_log"),
    )
    for column in ("at", "actor_id", "subject_id"):
        op.create_index(f"ix_audit_log_{column}", "audit_log", ["tenant_id", column])


def _aggregate(*columns: sa.Column) -> list[sa.Column]:
    return [
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        *columns,
        sa.Column("version", sa.BigInteger, nullable=False),
        _time("created_at", server_default=sa.func.now()),
        _time("updated_at", server_default=sa.func.now()),
    ]


def _time(name: str, *, nullable: bool = False, server_default: object = None) -> sa.Column:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable, server_default=server_default)


def _reference(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["tenant_id", column],
        [f"{target}.tenant_id", f"{target}.id"],
        name=f"fk_{table}_tenant_id_{column}_{target}",
    )


def downgrade() -> None:
    raise RuntimeError("identity only goes forward")
