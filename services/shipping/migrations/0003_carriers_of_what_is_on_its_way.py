"""Carriers of what is on its way."""

import sqlalchemy as sa
from alembic import op

revision = "shipping_0003"
down_revision = "shipping_0002"


def upgrade() -> None:
    op.create_index(
        op.f("ix_shipment_tenant_id_carrier_id"),
        "shipment",
        ["tenant_id", "carrier_id"],
        postgresql_where=sa.text("status = 'dispatched'"),
    )
