"""The toy shop's tables."""

import sqlalchemy as sa
from alembic import op

from tailrace.db.event_streams import stream_table
from tailrace.db.row_security import insert_only, tenant_tables
from tailrace.db.tables import NAMING

revision = "toyshop_0001"
down_revision = None


def upgrade() -> None:
    op.create_table(
        "card",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("email", sa.Text, nullable=False),
        sa.Column("holder_id", sa.Uuid, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("closed", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_card"),
    )
    op.create_index("uq_card_number", "card", ["tenant_id", "number"], unique=True)
    op.create_table(
        "stamp",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("card_id", sa.Uuid, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_stamp"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "card_id"], ["card.tenant_id", "card.id"], name="fk_stamp_tenant_id_card"
        ),
    )
    op.create_table(
        "card_home",
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_card_home"),
    )
    op.create_table(
        "product",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("heard", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_product"),
    )
    op.create_table(
        "account",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("total", sa.BigInteger, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_account"),
    )
    op.create_table(
        "team_copy",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("parent_id", sa.Uuid),
        sa.Column("lead_id", sa.Uuid),
        sa.Column("deputy_id", sa.Uuid),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_team_copy"),
    )
    op.create_index("ix_team_copy_tenant_id_parent_id", "team_copy", ["tenant_id", "parent_id"])
    op.create_table(
        "team_member_copy",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("team_id", sa.Uuid, nullable=False),
        sa.Column("user_id", sa.Uuid, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "team_id", "user_id", name="pk_team_member_copy"),
    )
    op.create_index("ix_team_member_copy_tenant_id_user_id", "team_member_copy", ["tenant_id", "user_id"])
    stream_table("points_event", sa.MetaData(naming_convention=NAMING)).create(op.get_bind())
    tenant_tables(op, "card", "stamp", "product", "account", "team_copy", "team_member_copy", "points_event")
    insert_only(op, "points_event")


def downgrade() -> None:
    raise RuntimeError("the toy shop only goes forward")
