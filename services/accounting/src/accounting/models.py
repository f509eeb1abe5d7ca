"""The tables of accounting: the books of a tenant, its accounts, and what the streams add up to (periods, journals, ledger entries).

Periods, journals and entries are projections of `accounting_event`, written in the transaction that appends the event.
"""

from datetime import date, datetime
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, Index, MetaData, Text, UniqueConstraint, func, text
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from accounting.chart import POSTED_BY_RULES
from accounting.refusals import AccountNeeded
from contracts.accounting import AccountCreated, AccountDeleted, AccountKind, AccountUpdated
from tailrace.db.event_streams import stream_table
from tailrace.db.models import COLUMN_TYPES, NAMING, Aggregate, TenantRow


class Base(DeclarativeBase):
    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map: ClassVar[dict[Any, Any]] = {**COLUMN_TYPES, AccountKind: Text}


accounting_event = stream_table("accounting_event", Base.metadata)


class Book(TenantRow, Base):
    """The books of a tenant, one row: a posting or a closing holds it, so numbers have no gap and record times only rise.

    `closed` are the days of locked periods, and all days up to the last closed one; `recorded_at` is when the last journal was written down.
    """

    __tablename__ = "book"

    last_number: Mapped[int] = mapped_column(server_default=text("0"))
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    closed: Mapped[list[Range[date]]] = mapped_column(DATEMULTIRANGE, server_default=text("'{}'::datemultirange"))


class Account(Aggregate, Base):
    """A place that amounts are posted to, known by its code. Code and kind stay what they are."""

    __tablename__ = "account"
    __table_args__ = (
        Index(
            "ix_account_tenant_id_code", "tenant_id", "code", unique=True, postgresql_where=text("deleted_at IS NULL")
        ),
    )

    code: Mapped[str]
    name: Mapped[str]
    kind: Mapped[AccountKind]
    active: Mapped[bool] = mapped_column(server_default=text("true"))
    deleted_at: Mapped[datetime | None]

    @classmethod
    def create(cls, id: UUID, code: str, name: str, kind: AccountKind) -> "Account":
        account = cls(id=id, code=code, name=name, kind=kind, active=True)
        account.record(AccountCreated(account_id=id, code=code, name=name, kind=kind))
        return account

    def describe(self, name: str, active: bool) -> None:
        """Give it another name, or close it for manual journals. Raises AccountNeeded when a posting rule needs it active."""
        if not active and self.code in POSTED_BY_RULES:
            raise AccountNeeded(f"Posting rules post to {self.code}, so it stays active.")
        if (name, active) == (self.name, self.active):
            return
        self.name, self.active = name, active
        self.record(AccountUpdated(account_id=self.id, code=self.code, name=name, kind=self.kind, active=active))

    def delete(self, now: datetime, *, used: bool) -> None:
        """Raises AccountNeeded when something was posted to it, or a posting rule may."""
        if used or self.code in POSTED_BY_RULES:
            reason = "There are postings to" if used else "Posting rules post to"
            raise AccountNeeded(f"{reason} {self.code}, so it cannot be deleted.")
        self.deleted_at = now
        self.record(AccountDeleted(account_id=self.id, code=self.code))


class Period(TenantRow, Base):
    """Days, first and last included, that can be locked together, and closed. `version` is its stream's."""

    __tablename__ = "period"
    __table_args__ = (Index(None, "tenant_id", "first_day"),)
    __mapper_args__ = {"eager_defaults": True}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    first_day: Mapped[date]
    last_day: Mapped[date]
    locked: Mapped[bool]
    closed: Mapped[bool] = mapped_column(server_default=text("false"))
    year_end: Mapped[bool] = mapped_column(server_default=text("false"))
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())


class Journal(TenantRow, Base):
    """A posted journal, as lists show it. `version` is its stream's: 1, or 2 once it is reversed."""

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        Index(None, "tenant_id", "effective_at"),
        Index(None, "tenant_id", "source_id"),
    )
    __mapper_args__ = {"eager_defaults": True}

    id: Mapped[UUID] = mapped_column(primary_key=True)
    number: Mapped[str]
    text: Mapped[str]
    rule: Mapped[str | None]
    source_topic: Mapped[str | None]
    source_event_id: Mapped[UUID | None]
    source_id: Mapped[UUID | None]
    reverses: Mapped[UUID | None]
    reversed_by: Mapped[UUID | None]
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    source_effective_at: Mapped[datetime | None]
    version: Mapped[int]
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(server_default=func.now(), onupdate=func.now())

    lines: Mapped[list["Entry"]] = relationship(order_by="Entry.position", viewonly=True, lazy="raise")


class Entry(TenantRow, Base):
    """One line of a journal, in minor units, exactly one side above zero. Written once, never changed.

    `position` orders a tenant's entries as they were recorded. The two times together let any past view be read again.
    """

    __tablename__ = "gl_entry"
    __table_args__ = (
        ForeignKeyConstraint(["tenant_id", "journal_id"], ["journal.tenant_id", "journal.id"]),
        CheckConstraint("debit >= 0 AND credit >= 0 AND (debit = 0) <> (credit = 0)", name="one_side"),
        Index(None, "tenant_id", "account", "effective_at", "position"),
    )

    journal_id: Mapped[UUID] = mapped_column(primary_key=True)
    line: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int]
    account: Mapped[str]
    currency: Mapped[str]
    debit: Mapped[int]
    credit: Mapped[int]
    text: Mapped[str | None]
    effective_at: Mapped[datetime]
    recorded_at: Mapped[datetime]

    journal: Mapped[Journal] = relationship(viewonly=True, lazy="raise")
