"""Books, accounts, periods, journals, ledger entries and their events."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE

from tailrace.db.event_streams import stream_table
from tailrace.db.row_security import insert_only, tenant_tables
from tailrace.db.tables import NAMING

revision = "accounting_0001"
down_revision = None

_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "book",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("last_number", sa.BigInteger, nullable=False, server_default=sa.text("0")),
        sa.Column("recorded_at", _TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("closed", DATEMULTIRANGE, nullable=False, server_default=sa.text("'{}'::datemultirange")),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_book"),
    )
    op.create_table(
        "account",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("active", sa.Boolean, nullable=False, server_default=sa.text("true")),
        sa.Column("deleted_at", _TIME),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", _TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _TIME, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_account"),
    )
    op.create_index(
        "ix_account_tenant_id_code",
        "account",
        ["tenant_id", "code"],
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_table(
        "period",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("first_day", sa.Date, nullable=False),
        sa.Column("last_day", sa.Date, nullable=False),
        sa.Column("locked", sa.Boolean, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", _TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _TIME, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_period"),
    )
    op.create_index("ix_period_tenant_id_first_day", "period", ["tenant_id", "first_day"])
    _create_journals()
    stream_table("accounting_event", sa.MetaData(naming_convention=NAMING)).create(op.get_bind())
    tenant_tables(op, "book", "account", "period", "journal", "gl_entry", "accounting_event")
    insert_only(op, "gl_entry", "accounting_event")


def _create_journals() -> None:
    op.create_table(
        "journal",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("id", sa.Uuid, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sa.Column("rule", sa.Text),
        sa.Column("source_topic", sa.Text),
        sa.Column("source_event_id", sa.Uuid),
        sa.Column("source_id", sa.Uuid),
        sa.Column("reverses", sa.Uuid),
        sa.Column("reversed_by", sa.Uuid),
        sa.Column("effective_at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("created_at", _TIME, nullable=False, server_default=sa.func.now()),
        sa.Column("updated_at", _TIME, nullable=False, server_default=sa.func.now()),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_journal"),
        sa.UniqueConstraint("tenant_id", "number", name="uq_journal_tenant_id_number"),
    )
    op.create_index("ix_journal_tenant_id_effective_at", "journal", ["tenant_id", "effective_at"])
    op.create_index("ix_journal_tenant_id_source_id", "journal", ["tenant_id", "source_id"])
    op.create_table(
        "gl_entry",
        sa.Column("tenant_id", sa.Uuid, nullable=False),
        sa.Column("journal_id", sa.Uuid, nullable=False),
        sa.Column("line", sa.BigInteger, nullable=False),
        sa.Column("position", sa.BigInteger, nullable=False),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("currency", sa.Text, nullable=False),
        sa.Column("debit", sa.BigInteger, nullable=False),
        sa.Column("credit", sa.BigInteger, nullable=False),
        sa.Column("text", sa.Text),
        sa.Column("effective_at", _TIME, nullable=False),
        sa.Column("recorded_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "journal_id", "line", name="pk_gl_entry"),
        sa.ForeignKeyConstraint(
            ["tenant_id", "journal_id"],
            ["journal.tenant_id", "journal.id"],
            name="fk_gl_entry_tenant_id_journal_id_journal",
        ),
        sa.CheckConstraint("debit >= 0 AND credit >= 0 AND (debit = 0) <> (credit = 0)", name="ck_gl_entry_one_side"),
    )
    columns = ["tenant_id", "account", "effective_at", "position"]
    op.create_index("ix_gl_entry_tenant_id_account_effective_at_position", "gl_entry", columns)


def downgrade() -> None:
    raise RuntimeError("the ledger only goes forward")
