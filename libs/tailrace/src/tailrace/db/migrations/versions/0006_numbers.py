"""Where the last number of each kind of document stands."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import tenant_tables
from tailrace.db.tables import document_number

revision = "kit_0006"
down_revision = "kit_0005"


def upgrade() -> None:
    if not sa.inspect(op.get_bind()).has_table("document_number"):
        document_number.create(op.get_bind())
        tenant_tables(op, "document_number")


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
