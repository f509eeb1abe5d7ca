"""The outbox, the inbox and what stands beside them."""

from alembic import op

from tailrace.db.row_security import capture_outbox, insert_only, tenant_tables
from tailrace.db.tables import PLATFORM, TENANT, metadata

revision = "kit_0001"
down_revision = None


def upgrade() -> None:
    metadata.create_all(op.get_bind(), tables=[*TENANT, *PLATFORM])
    tenant_tables(op, *(table.name for table in TENANT))
    insert_only(op, "outbox", "saga_step")
    capture_outbox(op)


def downgrade() -> None:
    raise RuntimeError("the kit's tables go with the database")
