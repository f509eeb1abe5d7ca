"""Tariffs, bookings and parcels with numbers."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from tailrace.db.row_security import tenant_tables

revision = "shipping_0006"
down_revision = "shipping_0005"


def upgrade() -> None:
    op.create_table(
        "asn",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("direction", sa.Text(), nullable=False),
        sa.Column("partner_name", sa.Text(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("expected_on", sa.Date(), nullable=True),
        sa.Column("shipment_id", sa.Uuid(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("arrived_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("packages", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("direction IN ('outbound', 'inbound')", name=op.f("ck_asn_direction")),
        sa.CheckConstraint("status IN ('sent', 'announced', 'arrived', 'received')", name=op.f("ck_asn_status")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_asn")),
    )
    op.create_index(op.f("ix_asn_tenant_id_created_at_id"), "asn", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_asn_tenant_id_number"), "asn", ["tenant_id", "number"], unique=True)
    op.create_index(
        op.f("ix_asn_tenant_id_partner_name_reference"),
        "asn",
        ["tenant_id", "partner_name", "reference"],
        unique=True,
        postgresql_where=sa.text("direction = 'inbound'"),
    )
    op.create_index(op.f("ix_asn_tenant_id_shipment_id"), "asn", ["tenant_id", "shipment_id"])
    op.create_index(op.f("ix_asn_tenant_id_status_id"), "asn", ["tenant_id", "status", "id"])
    op.create_table(
        "labelling",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("company_prefix", sa.Text(), nullable=False),
        sa.Column("extension_digit", sa.BigInteger(), nullable=False),
        sa.Column("sender", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("language IN ('en', 'ja')", name=op.f("ck_labelling_language")),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_labelling")),
    )
    op.create_table(
        "tariff",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("carrier_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=True),
        sa.Column("days", sa.BigInteger(), nullable=True),
        sa.Column("divisor", sa.BigInteger(), nullable=True),
        sa.Column("fuel_rate", sa.Numeric(precision=18, scale=6), nullable=False),
        sa.Column("rates", postgresql.JSONB(), nullable=False),
        sa.Column("surcharges", postgresql.JSONB(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code_key", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tariff")),
    )
    op.create_index(op.f("ix_tariff_tenant_id_carrier_id_id"), "tariff", ["tenant_id", "carrier_id", "id"])
    op.create_index(
        op.f("ix_tariff_tenant_id_code_key"),
        "tariff",
        ["tenant_id", "code_key"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(op.f("ix_tariff_tenant_id_created_at_id"), "tariff", ["tenant_id", "created_at", "id"])
    op.create_index(op.f("ix_tariff_tenant_id_name_id"), "tariff", ["tenant_id", "name", "id"])
    op.create_index(op.f("ix_tariff_tenant_id_valid_from_id"), "tariff", ["tenant_id", "valid_from", "id"])
    op.create_table(
        "time_zone",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("zone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "since", name=op.f("pk_time_zone")),
    )
    op.create_table(
        "booking",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("shipment_id", sa.Uuid(), nullable=False),
        sa.Column("shipment_number", sa.Text(), nullable=False),
        sa.Column("carrier_id", sa.Uuid(), nullable=False),
        sa.Column("tariff_id", sa.Uuid(), nullable=False),
        sa.Column("service", sa.Text(), nullable=False),
        sa.Column("quoted", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("errand_id", sa.Uuid(), nullable=True),
        sa.Column("failure", sa.Text(), nullable=True),
        sa.Column("tracking_number", sa.Text(), nullable=True),
        sa.Column("cost", sa.BigInteger(), nullable=True),
        sa.Column("cost_currency", sa.Text(), nullable=True),
        sa.Column("tracking", sa.Text(), nullable=True),
        sa.Column("tracked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "status IN ('requested', 'booked', 'failed', 'cancelling', 'cancelled')", name=op.f("ck_booking_status")
        ),
        sa.CheckConstraint(
            "tracking IN ('picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'lost')",
            name=op.f("ck_booking_tracking"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "shipment_id"],
            ["shipment.tenant_id", "shipment.id"],
            name=op.f("fk_booking_tenant_id_shipment_id_shipment"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_booking")),
    )
    op.create_index(op.f("ix_booking_tenant_id_carrier_id_id"), "booking", ["tenant_id", "carrier_id", "id"])
    op.create_index(
        op.f("ix_booking_tenant_id_shipment_id"),
        "booking",
        ["tenant_id", "shipment_id"],
        unique=True,
        postgresql_where=sa.text("status IN ('requested', 'booked', 'cancelling')"),
    )
    op.create_index(op.f("ix_booking_tenant_id_shipment_id_id"), "booking", ["tenant_id", "shipment_id", "id"])
    op.create_index(op.f("ix_booking_tenant_id_status_id"), "booking", ["tenant_id", "status", "id"])
    op.create_table(
        "tracking_step",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("booking_id", sa.Uuid(), nullable=False),
        sa.Column("reference", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("place", sa.Text(), nullable=True),
        sa.Column("detail", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "state IN ('picked_up', 'in_transit', 'out_for_delivery', 'delivered', 'exception', 'returned', 'lost')",
            name=op.f("ck_tracking_step_state"),
        ),
        sa.ForeignKeyConstraint(
            ["tenant_id", "booking_id"],
            ["booking.tenant_id", "booking.id"],
            name=op.f("fk_tracking_step_tenant_id_booking_id_booking"),
        ),
        sa.PrimaryKeyConstraint("tenant_id", "id", name=op.f("pk_tracking_step")),
    )
    op.create_index(
        op.f("ix_tracking_step_tenant_id_booking_id_reference"),
        "tracking_step",
        ["tenant_id", "booking_id", "reference"],
        unique=True,
    )
    op.add_column("carrier", sa.Column("bookable", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    op.add_column("package", sa.Column("length_mm", sa.BigInteger(), nullable=True))
    op.add_column("package", sa.Column("width_mm", sa.BigInteger(), nullable=True))
    op.add_column("package", sa.Column("height_mm", sa.BigInteger(), nullable=True))
    op.add_column("package", sa.Column("sscc", sa.Text(), nullable=True))
    op.create_index(
        op.f("ix_package_tenant_id_sscc"),
        "package",
        ["tenant_id", "sscc"],
        unique=True,
        postgresql_where=sa.text("sscc IS NOT NULL"),
    )
    tenant_tables(op, "asn", "labelling", "tariff", "time_zone", "booking", "tracking_step")
