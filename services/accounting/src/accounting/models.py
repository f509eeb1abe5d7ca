"""The tables of accounting: the books of a tenant, its accounts, and what the streams add up to (periods, journals, ledger entries).

Periods, journals and entries are projections of `accounting_event`, written in the transaction that appends the event.
"""

from collections.abc import Collection, Mapping
from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, UniqueConstraint, exists, func, select, text
from sqlalchemy.dialects.postgresql import DATEMULTIRANGE, Range
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship

from accounting.refusals import AccountNeeded
from accounting.roles import RoleMap
from contracts.accounting import AccountCreated, AccountDeleted, AccountKind, AccountRestored, AccountUpdated
from tailrace.db.database import Tx
from tailrace.db.event_streams import stream_table
from tailrace.db.keys import refers_to, tenant_index
from tailrace.db.master_data import MasterData
from tailrace.db.models import StreamRow, Tables, TenantRow
from tailrace.db.row_security import INSERT_ONLY


class Base(Tables, DeclarativeBase):
    """The tables of accounting."""


accounting_event = stream_table("accounting_event", Base.metadata)


class Book(TenantRow, Base):
    """The books of a tenant, one row: a posting or a closing holds it, so numbers have no gap and record times only rise.

    `closed` are the days of locked periods, and all days up to the last closed one; `recorded_at` is when the last journal was written down.
    `roles` is a RoleMap: what the chart's stream says, at hand for every posting.
    """

    __tablename__ = "book"

    last_number: Mapped[int] = mapped_column(server_default=text("0"))
    recorded_at: Mapped[datetime] = mapped_column(server_default=func.now())
    closed: Mapped[list[Range[date]]] = mapped_column(DATEMULTIRANGE, server_default=text("'{}'::datemultirange"))
    roles: Mapped[list[Any]] = mapped_column(server_default=text("'[]'::jsonb"))


class Account(MasterData, Base):
    """A place that amounts are posted to, known by its code. Code and kind stay what they are."""

    __tablename__ = "account"
    created, updated, deleted, restored = AccountCreated, AccountUpdated, AccountDeleted, AccountRestored
    case_folded = False

    code: Mapped[str]
    kind: Mapped[AccountKind]
    active: Mapped[bool] = mapped_column(server_default=text("true"))

    def replace(self, values: Mapping[str, Any]) -> None:
        """Give it another name, or close it for manual journals."""
        if any(getattr(self, name) != value for name, value in values.items()):
            super().replace(values)

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises AccountNeeded when something was posted to it, or a posting rule may."""
        if await tx.scalar(select(exists().where(Entry.account == self.code))):
            raise AccountNeeded(f"There are postings to {self.code}, so it cannot be deleted.")
        for bank in (await banks_on(tx, [self.code])).values():
            raise AccountNeeded(f"The bank account {bank} is on {self.code}, so it cannot be deleted.")
        for draft in (await drafts_on(tx, [self.code])).values():
            raise AccountNeeded(f"The journal draft {draft}, which waits for approval, names {self.code}.")
        await self.ensure_without_role(tx, "be deleted")

    async def ensure_without_role(self, tx: Tx, what: str) -> None:
        """Raises AccountNeeded, which says `what` it cannot, when it has a role on some day."""
        roles = RoleMap.read(await tx.scalar(select(Book.roles)) or ()).roles(self.code)
        if roles:
            raise AccountNeeded(f"{self.code} is the account of {', '.join(sorted(roles))}, so it cannot {what}.")


async def banks_on(tx: Tx, codes: Collection[str]) -> Mapping[str, str]:
    """By account of the chart, of these, the code of the bank account that is on it."""
    banks = Base.metadata.tables["bank_account"].c
    on = (banks.tenant_id == tx.tenant_id, banks.account.in_(codes), banks.deleted_at.is_(None))
    found = await tx.execute(select(banks.account, banks.code).where(*on).order_by(banks.account, banks.code.desc()))
    return {row[0]: row[1] for row in found}


async def drafts_on(tx: Tx, codes: Collection[str]) -> Mapping[str, str]:
    """By account of the chart, of these, the number of a journal draft under approval that is to be posted to it."""
    drafts = Base.metadata.tables["journal_draft"].c
    found = {}
    for code in sorted(codes):
        names_it = drafts.lines.contains([{"account": code}])
        on = (drafts.tenant_id == tx.tenant_id, drafts.status == "in_approval", names_it)
        if number := await tx.scalar(select(drafts.number).where(*on).order_by(drafts.number).limit(1)):
            found[code] = number
    return found


class Period(StreamRow, Base):
    """Days, first and last included, that can be locked together, and closed."""

    __tablename__ = "period"
    __table_args__ = (tenant_index("first_day"),)

    name: Mapped[str]
    first_day: Mapped[date]
    last_day: Mapped[date]
    locked: Mapped[bool]
    closed: Mapped[bool] = mapped_column(server_default=text("false"))
    year_end: Mapped[bool] = mapped_column(server_default=text("false"))


class Journal(StreamRow, Base):
    """A posted journal, as lists show it. `version` is 1, or 2 once it is reversed.

    `adjustment_reason` is why a person posted to control accounts; only such a journal has one.
    """

    __tablename__ = "journal"
    __table_args__ = (
        UniqueConstraint("tenant_id", "number"),
        tenant_index("effective_at"),
        tenant_index("source_id"),
        tenant_index("order_id", where="order_id IS NOT NULL"),
    )

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
    adjustment_reason: Mapped[str | None]
    order_id: Mapped[UUID | None]
    lines: Mapped[list["Entry"]] = relationship(order_by="Entry.position", viewonly=True, lazy="raise")


class Entry(TenantRow, Base):
    """One line of a journal, in minor units, exactly one side above zero. Written once, never changed.

    `position` orders a tenant's entries as they were recorded. The two times together let any past view be read again.
    """

    __tablename__ = "gl_entry"
    __table_args__ = (
        refers_to("journal", "journal_id"),
        CheckConstraint("debit >= 0 AND credit >= 0 AND (debit = 0) <> (credit = 0)", name="one_side"),
        tenant_index("account", "effective_at", "position"),
        INSERT_ONLY,
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


class SubLedgerEntry(TenantRow, Base):
    """What one event means for the control account of a role, in minor units, debits above zero. Never zero."""

    __tablename__ = "sub_ledger_entry"
    __table_args__ = (tenant_index("role", "currency"), tenant_index("source_id"))

    event_id: Mapped[UUID] = mapped_column(primary_key=True)
    role: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str]
    amount: Mapped[int]
    source_id: Mapped[UUID]
    effective_at: Mapped[datetime]
