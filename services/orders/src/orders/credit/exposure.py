"""How a customer stands: what they may owe, and what they owe and have ordered, with all who were merged into them.

Exposure is what was ordered and is not invoiced, and what invoices ask for, less what was paid ahead. Each sum is exact in its own currency and is
converted to the limit's once, half up, at the newest rate that has begun on the company's day. One statement reads all of it: an invoice that is
heard meanwhile is in the one sum or in the other.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Integer, Select, String, Uuid, and_, case, func, literal, or_, select, union_all

from orders.credit.copies import BuyerCopy, CreditLimitCopy, OpenInvoice, OrderBilled, PaidAhead, RateCopy
from orders.lines import OrderLine
from orders.models import Order
from orders.projections import MergeCopy, days
from tailrace.core.values.money import exponent, round_minor
from tailrace.db.database import Tx
from tailrace.messaging.replica import by_ids, followed

_LONGEST_CHAIN = 20
_BINDS = ("confirmed", "on_hold", "reopening")
_OPEN, _OWED, _AHEAD, _HELD = "open_orders", "receivables", "paid_ahead", "held"


@dataclass(slots=True)
class Sums:
    """What a customer has ordered, owes and paid ahead in one currency, in its minor units."""

    currency: str
    open_orders: int = 0
    receivables: int = 0
    paid_ahead: int = 0
    held: int = 0
    """What was ordered and waits: it is no part of the exposure."""

    @property
    def exposure(self) -> int:
        return self.open_orders + self.receivables - self.paid_ahead


@dataclass(frozen=True, slots=True)
class Standing:
    """How a customer stands at a moment. `exposure` is in `limit_currency`; None without a limit, and where a rate is missing."""

    customer_id: UUID
    active: bool
    credit_limit: int | None
    limit_currency: str | None
    sums: Sequence[Sums]
    rates: Mapping[str, Fraction]
    """What one minor unit of a currency is worth in the limit's; those that are not known are missing."""
    overdue_invoices: int
    """How many have been overdue for longer than the company bears."""
    overdue_since: date | None

    @property
    def missing_rates(self) -> list[str]:
        """The currencies of which nobody said what they are worth in the limit's."""
        return (
            []
            if self.credit_limit is None
            else [one.currency for one in self.sums if one.exposure and one.currency not in self.rates]
        )

    @property
    def exposure(self) -> int | None:
        if self.credit_limit is None or self.missing_rates:
            return None
        return sum(round_minor(one.exposure * self.rates[one.currency]) for one in self.sums if one.exposure)

    @property
    def available(self) -> int | None:
        """What may still be ordered, in the limit's currency; below zero, it is too much already."""
        exposure = self.exposure
        return None if exposure is None or self.credit_limit is None else self.credit_limit - exposure

    def worth(self, amount: int, currency: str) -> int | None:
        """An amount in the limit's currency; None without a limit, and where the rate is missing."""
        rate = self.rates.get(currency)
        return None if self.credit_limit is None or rate is None else round_minor(amount * rate)


async def standing_of(
    tx: Tx, customer_id: UUID, overdue_days: int | None, *currencies: str, in_full: bool = False
) -> Standing:
    """How the customer stands by now, in the books of all who sell. `currencies` are those that `worth` will be asked for besides.

    What a customer without a limit owes is added up only when it is wanted `in_full`.
    """
    # The sums are asked of the database, with what this transaction has changed of an order.
    await tx.flush()
    with tx.seeing_all():
        root, members = await group_of(tx, customer_id)
        limit = (await by_ids(tx, CreditLimitCopy, [root])).get(root)
        limited = limit is not None and limit.credit_limit is not None
        sums = await _sums(tx, members) if limited or in_full else []
        buyer = (await by_ids(tx, BuyerCopy, [root])).get(root)
        today = await days.today(tx)
        overdue, since = await _overdue(tx, members, overdue_days, today)
        rates: dict[str, Fraction] = {}
        if limit is not None and limited:
            for currency in {*(one.currency for one in sums), *currencies}:
                rate = await _rate(tx, currency, limit.currency, today)
                if rate is not None:
                    rates[currency] = rate
    return Standing(
        customer_id=root,
        active=buyer is None or buyer.status != "inactive",
        credit_limit=limit.credit_limit if limit is not None else None,
        limit_currency=limit.currency if limit is not None and limited else None,
        sums=sums,
        rates=rates,
        overdue_invoices=overdue,
        overdue_since=since,
    )


async def group_of(tx: Tx, customer_id: UUID) -> tuple[UUID, Sequence[UUID]]:
    """The customer that this one stands for by now, and all that stand for that one, itself too."""
    root = await followed(tx, MergeCopy.into_customer_id, customer_id)
    chain = select(literal(root, Uuid).label("id"), literal(0, Integer).label("step")).cte(recursive=True)
    below = select(MergeCopy.id, chain.c.step + 1).join(chain, MergeCopy.into_customer_id == chain.c.id)
    chain = chain.union_all(below.where(MergeCopy.active, chain.c.step < _LONGEST_CHAIN))
    return root, (await tx.scalars(select(chain.c.id).distinct().order_by(chain.c.id))).all()


async def _sums(tx: Tx, members: Sequence[UUID]) -> list[Sums]:
    """By currency, what of each there is; what comes to nothing is left out."""
    billed = func.coalesce(OrderBilled.amount, 0)
    owed = OpenInvoice.open
    parts = union_all(
        _of_orders(_OPEN, Order.net + Order.tax - _given_up() - billed, members, Order.status.in_(_BINDS)),
        _of_orders(_HELD, Order.net + Order.tax, members, Order.status == "credit_hold"),
        # What left of an order that was cancelled is still to be invoiced.
        _of_orders(_OPEN, _departed() - billed, members, and_(Order.status == "cancelled", Order.shipment != "none")),
        select(literal(_OWED, String).label("part"), OpenInvoice.currency, func.sum(owed).label("amount"))
        .where(OpenInvoice.customer_id.in_(members), owed != 0)
        .group_by(OpenInvoice.currency),
        select(literal(_AHEAD, String), PaidAhead.currency, func.sum(PaidAhead.amount))
        .where(PaidAhead.customer_id.in_(members))
        .group_by(PaidAhead.currency),
    )
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for part, currency, amount in await tx.execute(parts):
        found[currency][part] += int(amount)
    sums = [Sums(currency, **found[currency]) for currency in sorted(found)]
    return [one for one in sums if one.open_orders or one.receivables or one.paid_ahead or one.held]


def _of_orders(
    part: str, amount: ColumnElement[int], members: Sequence[UUID], which: ColumnElement[bool]
) -> Select[str, str, int]:
    return (
        select(literal(part, String).label("part"), Order.currency, func.sum(func.greatest(amount, 0)).label("amount"))
        .outerjoin(OrderBilled, OrderBilled.order_id == Order.id)
        .where(Order.customer_id.in_(members), which)
        .group_by(Order.currency)
    )


def part_of(amount: Any, part: Any, whole: Any) -> ColumnElement[Any]:
    """`tailrace.core.values.money.share` of the first part, in SQL: half up, of none less than zero.

    By whole numbers: a quotient ends after some digits there, and one just below a half would be rounded up twice.
    """
    return func.div(amount * part * 2 + whole, whole * 2)


def _departed() -> ColumnElement[int]:
    """What left of an order is worth, as it will be invoiced: each line's share of its net and of its tax, each rounded once."""
    shares = [part_of(amount, OrderLine.shipped, OrderLine.quantity) for amount in (OrderLine.net, OrderLine.tax)]
    lines = select(func.coalesce(func.sum(shares[0] + shares[1]), 0)).where(OrderLine.order_id == Order.id)
    return case((Order.shipment == "full", Order.net + Order.tax), else_=lines.correlate(Order).scalar_subquery())


def _given_up() -> ColumnElement[int]:
    """What is not wanted any more of an order was to cost: all of it less each line's share of what is still to leave. Only one that cancels what is
    not in stock has any."""
    left = OrderLine.quantity - OrderLine.cancelled
    kept = [part_of(amount, left, OrderLine.quantity) for amount in (OrderLine.net, OrderLine.tax)]
    gone = OrderLine.net + OrderLine.tax - kept[0] - kept[1]
    lines = select(func.coalesce(func.sum(gone), 0)).where(OrderLine.order_id == Order.id, OrderLine.cancelled > 0)
    return case((Order.when_short == "cancel", lines.correlate(Order).scalar_subquery()), else_=0)


async def _overdue(tx: Tx, members: Sequence[UUID], bearable: int | None, today: date) -> tuple[int, date | None]:
    """How many invoices have been overdue for more days than are borne, and since when the oldest."""
    if bearable is None:
        return 0, None
    late = OpenInvoice.due_on < today - timedelta(days=bearable)
    query = select(func.count(), func.min(OpenInvoice.due_on)).where(
        OpenInvoice.customer_id.in_(members), OpenInvoice.open > 0, late
    )
    count, since = (await tx.execute(query)).one()
    return int(count), since


async def _rate(tx: Tx, currency: str, against: str, day: date) -> Fraction | None:
    """What one minor unit is worth in another currency's: by the newest rate of the pair, in either direction, that has begun on the day."""
    if currency == against:
        return Fraction(1)
    pair = and_(RateCopy.currency == currency, RateCopy.against == against)
    inverse = and_(RateCopy.currency == against, RateCopy.against == currency)
    newest = (
        select(RateCopy.currency, RateCopy.rate)
        .where(or_(pair, inverse), RateCopy.day <= day)
        # Of two of one day, the one that was asked for: the other way round is a calculation.
        .order_by(RateCopy.day.desc(), (RateCopy.currency == currency).desc())
        .limit(1)
    )
    row = (await tx.execute(newest)).one_or_none()
    if row is None:
        return None
    rate = Fraction(row.rate) if row.currency == currency else 1 / Fraction(row.rate)
    return rate * Fraction(10) ** (exponent(against) - exponent(currency))
