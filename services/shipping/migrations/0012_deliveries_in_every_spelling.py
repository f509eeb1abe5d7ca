"""A supplier's delivery is one in whatever spelling of their name and their reference; those that are there stay as they are."""

from alembic import op

from tailrace.db.code_keys import add_unique_key

revision = "shipping_0012"
down_revision = "shipping_0011"


def upgrade() -> None:
    op.drop_index(op.f("ix_asn_tenant_id_partner_name_reference"), "asn")
    keys = {"partner_key": "partner_name", "reference_key": "reference"}
    add_unique_key(op, "asn", keys, where="direction = 'inbound'")
