"""Attachments, each version of their contents, and what is being uploaded."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.row_security import insert_only, tenant_tables
from tailrace.db.tables import attachment, attachment_content, metadata, upload

revision = "kit_0008"
down_revision = "kit_0007"


def upgrade() -> None:
    if not sa.inspect(op.get_bind()).has_table("attachment"):
        metadata.create_all(op.get_bind(), tables=[attachment, attachment_content, upload])
        tenant_tables(op, "attachment", "attachment_content")
    insert_only(op, "attachment_content")


def downgrade() -> None:
    raise RuntimeError("the kit only goes forward")
