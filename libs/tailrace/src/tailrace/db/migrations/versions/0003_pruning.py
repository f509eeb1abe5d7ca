"""Who has no tenant sees stored answers older than seven days, and may delete them; everybody else sees their own, as before."""

from alembic import op

revision = "kit_0003"
down_revision = "kit_0002"

_EXPIRED = "nullif(current_setting('app.tenant_id', true), '') IS NULL AND created_at < now() - interval '7 days'"


def upgrade() -> None:
    for policy, action in (("expired_seen", "SELECT"), ("expired_deleted", "DELETE")):
        op.execute(f"DROP POLICY IF EXISTS {policy} ON idempotency")
        op.execute(f"CREATE POLICY {policy} ON idempotency FOR {action} USING ({_EXPIRED})")


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
