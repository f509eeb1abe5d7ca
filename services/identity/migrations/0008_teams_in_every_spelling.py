"""Teams whose names differ in spelling alone are one; those that are there stay as they are."""

from alembic import op

from tailrace.db.code_keys import add_unique_key

revision = "identity_0008"
down_revision = "identity_0007"


def upgrade() -> None:
    op.drop_index(op.f("ix_team_tenant_id_name"), "team")
    add_unique_key(op, "team", {"code_key": "name"})
