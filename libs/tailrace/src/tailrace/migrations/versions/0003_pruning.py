"""Who has no tenant sees stored answers older than seven days, and may delete them; everybody else sees their own, as before."""

from alembic import op

revision = "kit_0003"
down_revision = "kit_0002"

_EXPIRED = "nullif(current_setting('app.tenant_id', true), '') IS NULL AND created_at < now() - interval '7 days'"


def upgrade() -> None:
    op.execute(f"CREATE POLICY expired_seen ON idempotency FOR SELECT USING ({_EXPIRED})")
    op.execute(f"CREATE POLICY expired_deleted ON idempotency FOR DELETE USING ({_EXPIRED})")


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
