"""When this database was restored behind its topic, and what was decided. The service reads it, and its owner writes it."""

from alembic import op

from tailrace.db.row_security import role_of
from tailrace.db.tables import database_history, metadata

revision = "kit_0012"
down_revision = "kit_0011"


def upgrade() -> None:
    """A database that is made today has the table by the first migration."""
    metadata.create_all(op.get_bind(), tables=[database_history])
    op.execute(f"REVOKE INSERT, UPDATE, DELETE, TRUNCATE ON database_history FROM {role_of(op, 'app')}")
    op.execute(f"GRANT SELECT ON database_history TO {role_of(op, 'capture')}")


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
