"""From a lead to the money: of what began in some days, how much got how far, and who came back, by the month of a customer's first order.

A funnel follows documents along what they came of: an opportunity of a lead, a quote of an opportunity, an order of a quote. So it counts what became
of the very things that began in those days, whenever that was, up to `as_of`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import ARRAY, DateTime, Select, func, literal, select

from analytics.figures import share_of
from analytics.measures import PATHS, Measure
from analytics.movements import Document, Movement
from analytics.periods import Part
from analytics.reports import Asked, adding_up, conditions, day_after, days_of, records_link, within
from tailrace.core.errors import Invalid
from tailrace.db.database import Tx
from tailrace.http.files import exports
from tailrace.http.lists.pagination import OF_EXPORT, Listing, PageRequest, paginate

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
_ORDERED: Measure = "order_confirmed"


@dataclass(frozen=True, slots=True)
class Reaching:
    """What began between the first and the last of these moments, and what it led to."""

    asked: Asked
    bounds: Sequence[datetime]
    start: Start

    @property
    def stages(self) -> list[Stage]:
        names = list(STAGES)
        return names[names.index(self.start) :]

    def reached(self, stage: Stage) -> Any:
        """The documents of a stage: `document_id`, what each came `of`, and by `currency` its `amount`."""
        one, asked = Movement, self.asked
        key = one.document_id if stage in _OF_ONE_ORDER else one.came_of_id
        before = self.stages[self.stages.index(stage) - 1]
        counts = within(self.bounds) if stage == self.start else key.in_(select(self.reached(before).document_id))
        return (
            select(one.document_id, key.label("of"), one.currency, func.sum(one.amount).label("amount"))
            .where(*conditions(asked, [STAGES[stage]], asked.as_of, counts))
            .group_by(one.document_id, key, one.currency)
            .having(func.sum(one.count) > 0)
            .subquery(stage)
            .c
        )

    def link(self, stage: Stage, led: str | None = None) -> str:
        """Where the documents of a stage are listed."""
        asked = self.asked
        whose = {name: getattr(asked, name) for name in ("owner_id", "team_id", "customer_id")}
        said = {"stage": stage, "start": self.start, "led": led, "from": asked.begin, "until": asked.until}
        return records_link("/v1/reports/funnel/records", asked.as_of, **said, **whose)


async def funnel(tx: Tx, reaching: Reaching) -> list[dict[str, Any]]:
    """Stage by stage, from the first on. One statement for each."""
    found: list[dict[str, Any]] = []
    for number, stage in enumerate(reaching.stages):
        each = reaching.reached(stage)
        totals = select(
            each.currency,
            func.count(each.document_id.distinct()).label("documents"),
            func.count(each.of.distinct()).label("led"),
            func.sum(each.amount).label("amount"),
        ).group_by(func.rollup(each.currency))
        totals = totals.add_columns(func.grouping(each.currency).label("is_all"))
        rows = (await tx.execute(totals)).all()
        (whole,) = [row for row in rows if row.is_all]
        previous = found[-1]["count"] if found else None
        found.append(
            {
                "stage": stage,
                "count": whole.documents,
                "amounts": [
                    {"currency": row.currency, "amount": int(row.amount)}
                    for row in sorted(rows, key=lambda row: row.currency or "")
                    if not row.is_all and row.currency is not None
                ],
                "of_previous": None if previous is None else share_of(whole.led, previous),
                "lost": None if previous is None else previous - whole.led,
                "records": reaching.link(stage),
                "lost_records": None if previous is None else reaching.link(reaching.stages[number - 1], "false"),
            }
        )
    return found


async def documents(
    tx: Tx, reaching: Reaching, stage: Stage, led: bool | None, page: PageRequest
) -> Listing[dict[str, Any]]:
    """The documents of a stage, with what each adds to it; only those that led to the next one, or did not. Raises Invalid, Exporting."""
    if stage not in reaching.stages:
        raise Invalid.field("stage", f"It lies before {reaching.start}, with which this funnel begins.")
    of_order = stage in _OF_ONE_ORDER
    query = select(Document).where(
        Document.kind == ("order" if of_order else stage),
        Document.id.in_(select(reaching.reached(stage).document_id)),
    )
    if led is not None:
        following = reaching.stages[reaching.stages.index(stage) + 1 :]
        if not following:
            raise Invalid.field("led", f"Nothing comes after {stage}.")
        leading = select(reaching.reached(following[0]).of)
        query = query.where(Document.id.in_(leading) if led else Document.id.not_in(leading))

    async def read(tx: Tx, page: PageRequest) -> Listing[dict[str, Any]]:
        found = await paginate(tx, query, page)
        amounts = await _amounts(tx, reaching.reached(stage), [each.id for each in found.items])
        items = [
            {
                "id": each.id,
                "kind": each.kind,
                "number": each.number,
                "path": f"{PATHS[each.kind]}/{each.id}",
                "amounts": amounts.get(each.id, []),
            }
            for each in found.items
        ]
        return Listing(items, found.next_cursor)

    if exports.is_wanted():
        whole = replace(page, limit=OF_EXPORT)
        raise exports.Exporting(
            exports.pages_of(lambda tx, cursor: read(tx, replace(whole, cursor=cursor)), page.cursor)
        )
    return await read(tx, page)


async def _amounts(tx: Tx, each: Any, ids: Sequence[UUID]) -> dict[UUID, list[dict[str, Any]]]:
    sums = select(each.document_id, each.currency, func.sum(each.amount).label("amount")).where(
        each.document_id.in_(ids), each.currency.is_not(None)
    )
    found: dict[UUID, list[dict[str, Any]]] = {}
    for row in await tx.execute(sums.group_by(each.document_id, each.currency).order_by(each.currency)):
        found.setdefault(row.document_id, []).append({"currency": row.currency, "amount": int(row.amount)})
    return found


def _ordered(asked: Asked, until: datetime) -> tuple[Any, Any]:
    """The confirmed orders of customers before a moment, and when each customer first had one."""
    one = Movement
    orders = (
        select(one.customer_id, one.at, one.currency, func.sum(one.amount).label("amount"))
        .where(*conditions(asked, [_ORDERED], asked.as_of, one.at < until, one.customer_id.is_not(None)))
        .group_by(one.document_id, one.customer_id, one.at, one.currency)
        .having(func.sum(one.count) > 0)
        .subquery("orders")
        .c
    )
    began = select(orders.customer_id, func.min(orders.at).label("at")).group_by(orders.customer_id).subquery("began").c
    return orders, began


def cohort_records(
    asked: Asked, bounds: Sequence[datetime], first: tuple[datetime | None, datetime | None]
) -> Select[Movement]:
    """The rows of confirmed orders of some days, of customers whose first one was between these moments, where they are said."""
    _, began = _ordered(asked, bounds[-1])
    since, until = first
    some = select(began.customer_id)
    some = some if since is None else some.where(began.at >= since)
    some = some if until is None else some.where(began.at < until)
    return adding_up(conditions(asked, [_ORDERED], asked.as_of, within(bounds), Movement.customer_id.in_(some)))


def _cohort_link(asked: Asked, part: Part, first: Part) -> str:
    whose = {name: getattr(asked, name) for name in ("owner_id", "team_id", "customer_id")}
    said = {"first_from": first.begins_on, "first_until": day_after(first.ends_on), **days_of(part), **whose}
    return records_link("/v1/reports/cohorts/records", asked.as_of, **said)


async def cohorts(tx: Tx, asked: Asked, parts: Sequence[Part], bounds: Sequence[datetime]) -> list[dict[str, Any]]:
    """Customers by the part in which they first had a confirmed order: how many of them ordered in each part, and for how much."""
    array = literal(list(bounds), ARRAY(DateTime(timezone=True)))
    orders, began = _ordered(asked, bounds[-1])
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
                    "records": _cohort_link(asked, parts[at], begun),
                }
                for at, cell in sorted(mine.items())
            ]
            found.append({"begins_on": begun.begins_on, "customers": mine[number]["customers"], "parts": months})
    return found
