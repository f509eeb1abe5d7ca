"""Who has no tenant sees outbox rows older than seven days; a service may delete those, and canaries older than an hour, and no other row."""

from alembic import op

from tailrace.db.row_security import role_of

revision = "kit_0005"
down_revision = "kit_0004"

_OLD = "recorded_at < now() - interval '7 days'"
_NOBODY = f"nullif(current_setting('app.tenant_id', true), '') IS NULL AND {_OLD}"
_OLD_CANARY = "topic = 'tailrace.canary' AND recorded_at < now() - interval '1 hour'"
_POLICIES = (
    ("expired_seen", "", "SELECT", _NOBODY),
    ("expired_deleted", "", "DELETE", _NOBODY),
    # Restrictive: it narrows what any other policy allows, a tenant's own rows included.
    ("kept", "AS RESTRICTIVE", "DELETE", f"({_OLD}) OR ({_OLD_CANARY})"),
)


def upgrade() -> None:
    for policy, kind, action, which in _POLICIES:
        op.execute(f"DROP POLICY IF EXISTS {policy} ON outbox")
        op.execute(f"CREATE POLICY {policy} ON outbox {kind} FOR {action} USING ({which})")
    op.execute(f"GRANT DELETE ON outbox TO {role_of(op, 'app')}")


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
