"""An order is confirmed where the customer may owe it, and waits where not; what waits is released by an approval, by a person, or when it fits.

What is decided from how a customer stands is decided under the customer's lock, which is taken before any order's: two orders at once never fit a
limit that has room for one.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from sqlalchemy import bindparam, func, select

from contracts.credit import CreditReason
from orders.credit.exposure import Standing, group_of, standing_of
from orders.credit.hold import Figures
from orders.credit.models import CreditPolicy, overdue_days, policy_id
from orders.credit.refusals import ReleasedByApproval
from orders.models import Order
from orders.pricing import differences, quote_taxes, taxed_as_today
from orders.projections import MergeCopy
from orders.refusals import PriceChanged
from tailrace.core.errors import Stale
from tailrace.db.database import Tx
from tailrace.messaging.replica import followed
from tailrace.messaging.timers import Timer

relief = Timer("orders.credit_relief")
"""By customer: what waits is to be looked at again."""

_MOST_AT_ONCE = 100
_LOCK = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("lock"), 0)))


async def lock(tx: Tx, customer_id: UUID) -> None:
    """Let nobody else decide from how this customer stands until the transaction ends. All who were merged have one lock."""
    root = await followed(tx, MergeCopy.into_customer_id, customer_id)
    await tx.execute(_LOCK, {"lock": f"orders.credit/{tx.tenant_id}/{root}"})


async def load(tx: Tx, order_id: UUID, match: int | None) -> Order:
    """The order, locked for a confirmation, after its customer. Raises Unknown, Stale."""
    seen = (await tx.execute(select(Order.customer_id, Order.version).where(Order.id == order_id))).one_or_none()
    if seen is not None and seen.customer_id is not None:
        await lock(tx, seen.customer_id)
    order = await tx.load(Order, order_id, match)
    if seen is None or order.customer_id != seen.customer_id:
        # It was made another customer's while the lock was waited for.
        raise Stale(0 if seen is None else seen.version, order.version)
    return order


async def confirm_new(tx: Tx, order: Order) -> None:
    """Confirm an order that was just made, or let it wait."""
    if order.customer_id is not None:
        await lock(tx, order.customer_id)
    await confirm(tx, order)


async def confirm(tx: Tx, order: Order) -> None:
    """Confirm the order, whose customer is locked, or let it wait. An order that only names somebody is not looked at."""
    if order.customer_id is None:
        order.confirm()
        return
    standing = await standing_of(tx, order.customer_id, await overdue_days(tx), order.currency)
    worth = standing.worth(order.total, order.currency)
    reasons = reasons_of(standing, standing.exposure, worth)
    if not reasons:
        order.pass_credit()
        return
    figures = Figures(
        credit_limit=standing.credit_limit,
        limit_currency=standing.limit_currency,
        exposure=standing.exposure,
        worth=worth,
        overdue_invoices=standing.overdue_invoices,
        overdue_since=standing.overdue_since,
    )
    order.hold_credit(reasons, figures, tx.context.user_id)


def reasons_of(standing: Standing, exposure: int | None, worth: int | None) -> Sequence[CreditReason]:
    """Why an order of so much, for a customer of such an exposure, is held; nothing when it is not."""
    reasons: list[CreditReason] = []
    if not standing.active:
        reasons.append("customer_inactive")
    if standing.overdue_invoices:
        reasons.append("invoice_overdue")
    if standing.credit_limit is not None:
        if exposure is None or worth is None:
            reasons.append("rate_missing")
        elif exposure + worth > standing.credit_limit:
            reasons.append("limit_exceeded")
    return reasons


async def release(tx: Tx, order_id: UUID, match: int | None, reason: str) -> Order:
    """Let a held order go on, where the company asks nobody. Raises NotHeldForCredit, ReleasedByApproval, PriceChanged where it is taxed otherwise by
    now, Invalid, NotYetKnown."""
    order = await tx.load(Order, order_id, match)
    order.after("released")
    hold = order.held_for_credit
    assert hold is not None
    if hold.state != "nobody_asked":
        raise ReleasedByApproval(order.number, hold.state)
    quotes = await quote_taxes(tx, order.lines)
    if changes := differences(order.lines, quotes):
        raise PriceChanged(sum(one.net for one in quotes), sum(one.tax for one in quotes), changes, expected=None)
    order.release_credit("person", reason)
    return order


async def relieve(tx: Tx, customer_id: UUID) -> None:
    """Let go on what fits by now: the order that was taken first comes first, and one that does not fit keeps nobody else waiting."""
    await lock(tx, customer_id)
    root, members = await group_of(tx, customer_id)
    held = (Order.status == "credit_hold", Order.customer_id.in_(members))
    query = select(Order.id, Order.net + Order.tax, Order.currency).where(*held).order_by(Order.id)
    waiting = (await tx.execute(query)).all()
    if not waiting:
        return
    standing = await standing_of(tx, root, await overdue_days(tx), *{currency for *_, currency in waiting})
    exposure, released = standing.exposure, 0
    for id, total, currency in waiting:
        worth = standing.worth(total, currency)
        if reasons_of(standing, exposure, worth):
            continue
        if released == _MOST_AT_ONCE:
            await relief.set(tx, customer_id, datetime.now(UTC))
            return
        order = await tx.load(Order, id)
        if order.status != "credit_hold" or order.total != total:
            # It was cancelled or changed while its lock was waited for.
            continue
        if not await taxed_as_today(tx, order.lines):
            # Somebody has to agree to that: it is confirmed again.
            continue
        order.release_credit("exposure")
        released += 1
        exposure = None if exposure is None or worth is None else exposure + worth


async def look_again(tx: Tx) -> None:
    """Have everything looked at that waits, customer by customer, each in a transaction of its own."""
    waiting = select(Order.customer_id).where(Order.status == "credit_hold").distinct().order_by(Order.customer_id)
    with tx.seeing_all():
        customers = (await tx.scalars(waiting)).all()
    for customer_id in customers:
        if customer_id is not None:
            await relief.set(tx, customer_id, datetime.now(UTC))


async def set_policy(tx: Tx, bearable: int | None) -> CreditPolicy:
    """Say for how long invoices may be overdue; what waits is looked at again."""
    id = policy_id(tx.tenant_id)
    kept = await tx.get(CreditPolicy, (tx.tenant_id, id))
    if kept is None:
        kept = CreditPolicy(id=id)
        tx.add(kept)
    else:
        kept = await tx.load(CreditPolicy, id)
    kept.replace(bearable)
    await look_again(tx)
    return kept
