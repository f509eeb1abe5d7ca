"""What customers owe as of the end of a day: what is open of each invoice by then, by how long it has been due, and what they paid ahead."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from uuid import UUID

from sqlalchemy import func, select

from accounting.invoices.buyers import followed, merges, standing_for
from accounting.invoices.copies import CustomerCopy
from accounting.receivables.models import ReceivableEntry
from tailrace.core.errors import Invalid
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids

BUCKETS = ("not_due", "days_1_to_30", "days_31_to_60", "days_61_to_90", "over_90_days")
MOST_ENTRIES = 2000
_ENDS = (0, 30, 60, 90)


@dataclass(slots=True)
class Aged:
    """What one customer owes in one currency, by bucket."""

    customer_id: UUID | None
    customer_name: str | None
    currency: str
    not_due: int = 0
    days_1_to_30: int = 0
    days_31_to_60: int = 0
    days_61_to_90: int = 0
    over_90_days: int = 0
    credit: int = 0

    @property
    def open(self) -> int:
        return sum(getattr(self, name) for name in BUCKETS)

    @property
    def balance(self) -> int:
        return self.open - self.credit

    @property
    def owes(self) -> bool:
        """Whether anything is owed, or paid ahead."""
        return bool(self.credit) or any(getattr(self, name) for name in BUCKETS)

    def add(self, bucket: str, amount: int) -> None:
        setattr(self, bucket, getattr(self, bucket) + amount)


@dataclass(frozen=True, slots=True)
class Ageing:
    day: date
    rows: Sequence[Aged]
    totals: Sequence[Aged]


@dataclass(frozen=True, slots=True)
class StatementEntry:
    """Something that changed what is owed, and what is owed after it."""

    day: date
    kind: str
    number: str
    amount: int
    balance: int
    due_on: date | None


@dataclass(frozen=True, slots=True)
class Statement:
    customer_id: UUID
    customer_name: str
    currency: str
    since: date
    until: date
    opening: int
    closing: int
    entries: Sequence[StatementEntry] = field(default_factory=list)


def bucket_of(due_on: date, day: date) -> str:
    """By how many days it has been due: none on the day itself."""
    late = (day - due_on).days
    return next((name for name, end in zip(BUCKETS, _ENDS, strict=False) if late <= end), BUCKETS[-1])


async def ageing(tx: Tx, day: date, customer_id: UUID | None) -> Ageing:
    """Of all customers, or of one. What was merged into another is that other's."""
    seen = [ReceivableEntry.day <= day]
    if customer_id is not None:
        theirs = await standing_for(tx, await followed(tx, customer_id))
        seen.append(ReceivableEntry.customer_id.in_(theirs))
    amount = func.sum(ReceivableEntry.amount)
    whose = (ReceivableEntry.customer_id, ReceivableEntry.currency)
    items = (
        select(*whose, amount, func.max(ReceivableEntry.due_on))
        .where(*seen, ReceivableEntry.invoice_id.is_not(None))
        .group_by(*whose, ReceivableEntry.invoice_id)
        .having(amount != 0)
    )
    credits = select(*whose, amount).where(*seen, ReceivableEntry.invoice_id.is_(None)).group_by(*whose)
    stands_for = await merges(tx)
    rows: dict[tuple[UUID | None, str], Aged] = {}
    totals: dict[str, Aged] = defaultdict(lambda: Aged(None, None, ""))

    def of(id: UUID | None, currency: str) -> list[Aged]:
        id = id and stands_for.get(id, id)
        row = rows.setdefault((id, currency), Aged(id, None, currency))
        total = totals.setdefault(currency, Aged(None, None, currency))
        return [row, total]

    for id, currency, open_, due_on in await tx.execute(items):
        for each in of(id, currency):
            each.add(bucket_of(due_on or day, day), int(open_))
    for id, currency, left in await tx.execute(credits.having(amount != 0)):
        for each in of(id, currency):
            each.credit -= int(left)
    # What was merged may come to nothing together.
    rows = {key: row for key, row in rows.items() if row.owes}
    known = await by_ids(tx, CustomerCopy, [id for id, _ in rows if id is not None])
    for (id, _), row in rows.items():
        row.customer_name = known[id].name if id is not None and id in known else None
    ordered = sorted(rows.values(), key=lambda row: (row.currency, -row.balance, str(row.customer_id)))
    return Ageing(day, ordered, [totals[currency] for currency in sorted({row.currency for row in ordered})])


async def statement(tx: Tx, customer_id: UUID, since: date, until: date, currency: str | None) -> Statement:
    """An account of one customer, and of those that it stands for, in one currency. Raises Unknown, and Invalid for more entries than fit one."""
    customer = await tx.find(CustomerCopy, customer_id)
    said = currency or customer.currency
    mine = (ReceivableEntry.customer_id.in_(await standing_for(tx, customer_id)), ReceivableEntry.currency == said)
    opening = await tx.scalar(select(func.sum(ReceivableEntry.amount)).where(*mine, ReceivableEntry.day < since))
    query = (
        select(ReceivableEntry)
        .where(*mine, ReceivableEntry.day >= since, ReceivableEntry.day <= until)
        .order_by(ReceivableEntry.day, ReceivableEntry.event_id, ReceivableEntry.line)
        .limit(2 * MOST_ENTRIES + 1)
    )
    found = list(await tx.scalars(query))
    if len(found) > 2 * MOST_ENTRIES:
        raise Invalid.field("since", f"There are more than {MOST_ENTRIES} entries: ask for fewer days.")
    first = balance = int(opening or 0)
    entries: list[StatementEntry] = []
    for kind, each, amount in _once(found):
        balance += amount
        entries.append(StatementEntry(each.day, kind, each.number, amount, balance, each.due_on))
    return Statement(customer_id, customer.name, said, since, until, first, balance, entries)


def _once(found: Sequence[ReceivableEntry]) -> list[tuple[str, ReceivableEntry, int]]:
    """What changed the account: the two sides of an allocation in one currency come to nothing."""
    sums: dict[UUID, int] = defaultdict(int)
    for each in found:
        sums[each.event_id] += each.amount
    seen = {each.event_id: each for each in found}
    return [(each.kind, each, sums[id]) for id, each in seen.items() if sums[id]]
