"""From a lead to the money: of what began in some days, how much got how far, and who came back, by the month of a customer's first order.

A funnel follows documents along what they came of: an opportunity of a lead, a quote of an opportunity, an order of a quote. So it counts what became
of the very things that began in those days, whenever that was, up to `as_of`.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ARRAY, DateTime, func, literal, select

from analytics.figures import share_of
from analytics.measures import Measure
from analytics.movements import Movement
from analytics.periods import Part
from analytics.reports import Asked, conditions
from tailrace.db.database import Tx

Stage = Literal["lead", "opportunity", "quote", "order", "invoice", "payment"]
Start = Literal["lead", "opportunity", "quote", "order"]
STAGES: dict[Stage, Measure] = {
    "lead": "lead_created",
    "opportunity": "opportunity_created",
    "quote": "quote_sent",
    "order": "order_confirmed",
    "invoice": "order_invoiced",
    "payment": "order_paid",
}
_OF_ONE_ORDER = {"invoice", "payment"}


async def funnel(tx: Tx, asked: Asked, bounds: Sequence[datetime], start: Start) -> list[dict[str, Any]]:
    """Stage by stage, from `start` on. One statement for each."""
    one = Movement
    names = list(STAGES)
    reached: Any = None
    previous = 0
    found: list[dict[str, Any]] = []
    for stage in names[names.index(start) :]:
        key = one.document_id if stage in _OF_ONE_ORDER else one.came_of_id
        begins = (one.at >= bounds[0]) & (one.at < bounds[-1])
        follows = begins if reached is None else key.in_(reached)
        some = (
            select(one.document_id, key.label("of"), one.currency, func.sum(one.amount).label("amount"))
            .where(*conditions(asked, [STAGES[stage]], asked.as_of, follows))
            .group_by(one.document_id, key, one.currency)
            .having(func.sum(one.count) > 0)
            .subquery("some")
        )
        each = some.c
        totals = select(
            each.currency,
            func.count(each.document_id.distinct()).label("documents"),
            func.count(each.of.distinct()).label("led"),
            func.sum(each.amount).label("amount"),
        ).group_by(func.rollup(each.currency))
        totals = totals.add_columns(func.grouping(each.currency).label("is_all"))
        rows = (await tx.execute(totals)).all()
        (whole,) = [row for row in rows if row.is_all]
        count, led = whole.documents, whole.led
        found.append(
            {
                "stage": stage,
                "count": count,
                "amounts": [
                    {"currency": row.currency, "amount": int(row.amount)}
                    for row in sorted(rows, key=lambda row: row.currency or "")
                    if not row.is_all and row.currency is not None
                ],
                "of_previous": None if reached is None else share_of(led, previous),
                "lost": None if reached is None else previous - led,
            }
        )
        previous, reached = count, select(each.document_id)
    return found


async def cohorts(tx: Tx, asked: Asked, parts: Sequence[Part], bounds: Sequence[datetime]) -> list[dict[str, Any]]:
    """Customers by the part in which they first had a confirmed order: how many of them ordered in each part, and for how much."""
    one = Movement
    array = literal(list(bounds), ARRAY(DateTime(timezone=True)))
    orders = (
        select(one.customer_id, one.at, one.currency, func.sum(one.amount).label("amount"))
        .where(*conditions(asked, ["order_confirmed"], asked.as_of, one.at < bounds[-1], one.customer_id.is_not(None)))
        .group_by(one.document_id, one.customer_id, one.at, one.currency)
        .having(func.sum(one.count) > 0)
        .subquery("orders")
        .c
    )
    began = select(orders.customer_id, func.min(orders.at).label("at")).group_by(orders.customer_id).subquery("began").c
    cohort, part = (func.width_bucket(at, array) - 1 for at in (began.at, orders.at))
    placed = (
        select(cohort.label("cohort"), part.label("part"), orders.customer_id, orders.currency, orders.amount)
        .join_from(orders.customer_id.table, began.at.table, began.customer_id == orders.customer_id)
        .where(began.at >= bounds[0])
        .subquery("placed")
        .c
    )
    query = select(
        placed.cohort,
        placed.part,
        placed.currency,
        func.grouping(placed.currency).label("is_all"),
        func.count(placed.customer_id.distinct()).label("customers"),
        func.sum(placed.amount).label("amount"),
    ).group_by(placed.cohort, placed.part, func.rollup(placed.currency))
    cells: dict[tuple[int, int], dict[str, Any]] = {}
    for row in await tx.execute(query):
        cell = cells.setdefault((row.cohort, row.part), {"customers": 0, "amounts": []})
        if row.is_all:
            cell["customers"] = row.customers
        else:
            cell["amounts"].append({"currency": row.currency, "amount": int(row.amount)})
    found: list[dict[str, Any]] = []
    for number, begun in enumerate(parts):
        mine = {at: cell for (of, at), cell in cells.items() if of == number}
        if mine:
            months = [
                {
                    "begins_on": parts[at].begins_on,
                    "customers": cell["customers"],
                    "rate": share_of(cell["customers"], mine[number]["customers"]),
                    "amounts": sorted(cell["amounts"], key=lambda each: each["currency"]),
                }
                for at, cell in sorted(mine.items())
            ]
            found.append({"begins_on": begun.begins_on, "customers": mine[number]["customers"], "parts": months})
    return found
