"""A month that is made up: whatever order it arrives in, reports say what a count over the whole list says, today and as of three past days.

The count knows nothing of how reports are kept: it replays what had happened by a moment, looks how each document stands then, and adds up.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import pytest
from counted_month import Count, Found
from made_month import BEGIN, PAST, TOKYO, UNTIL, Month, midnight
from selling_desk import Desk

FIELDS = {
    "sales-summary": {
        "placed": "order_placed",
        "confirmed": "order_confirmed",
        "cancelled": "order_cancelled",
        "shipped": "order_shipped",
        "invoiced": "order_invoiced",
        "paid": "order_paid",
        "quotes_made": "quote_made",
        "quotes_sent": "quote_sent",
        "quotes_accepted": "quote_accepted",
        "quotes_declined": "quote_declined",
        "opportunities_won": "opportunity_won",
        "opportunities_lost": "opportunity_lost",
        "invoices_issued": "invoice_issued",
        "payments_received": "payment_received",
        "payments_reversed": "payment_reversed",
    },
    "customer-statistics": {"added": "customer_added", "deleted": "customer_deleted"},
    "approval-statistics": {
        "requested": "approval_requested",
        "approved": "approval_approved",
        "rejected": "approval_rejected",
        "recalled": "approval_recalled",
        "voided": "approval_voided",
    },
    "task-completion": {
        "created": "task_created",
        "completed": "task_completed",
        "on_time": "task_on_time",
        "late": "task_late",
        "cancelled": "task_cancelled",
        "meetings_held": "meeting_held",
        "meetings_cancelled": "meeting_cancelled",
    },
}
STANDING = {
    "sales-summary": {"opportunities_open": "opportunity_open"},
    "customer-statistics": {"customers": "customer_standing"},
    "approval-statistics": {"open": "approval_open"},
    "task-completion": {"open": "task_open", "overdue": "task_due", "meetings_planned": "meeting_planned"},
}


def first_day(moment: datetime, interval: str) -> str:
    day = moment.astimezone(TOKYO).date()
    if interval == "whole":
        return BEGIN.isoformat()
    if interval == "week":
        day = max(day - timedelta(days=day.weekday()), BEGIN)
    return day.isoformat()


def half_up(seconds: int, count: int) -> int:
    return int((Decimal(seconds) / count).quantize(Decimal(1), ROUND_HALF_UP))


def counted(found: Iterable[Found], fields: dict[str, str], key: Callable[[Found], tuple[Any, ...]]) -> dict[Any, Any]:
    names = {what: name for name, what in fields.items()}
    rows: dict[Any, dict[str, list[int]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, 0]))
    for each in found:
        if each.what in names:
            total = rows[key(each)][names[each.what]]
            for place, more in enumerate((each.count, each.amount, each.seconds)):
                total[place] += more
    return {
        at: {name: total for name, total in row.items() if total != [0, 0, 0]}
        for at, row in rows.items()
        if any(total != [0, 0, 0] for total in row.values())
    }


def shown(rows: list[dict[str, Any]], fields: dict[str, str], head: tuple[str, ...], money: bool) -> dict[Any, Any]:
    found = {}
    for row in rows:
        figures = {}
        for name in fields:
            figure = row[name]
            total = [figure["count"], figure["amount"] if money else 0, figure.get("average_seconds")]
            if figure["count"] or (money and figure["amount"]):
                figures[name] = total
        if figures:
            found[tuple(row.get(name) for name in head)] = figures
    return found


def same(expected: dict[Any, Any], found: dict[Any, Any], money: bool) -> None:
    assert expected.keys() == found.keys()
    for key, row in expected.items():
        assert row.keys() == found[key].keys(), key
        for name, (count, amount, seconds) in row.items():
            other = found[key][name]
            assert [count, amount if money else 0] == other[:2], (key, name)
            if other[2] is not None:
                assert half_up(seconds, count) == other[2], (key, name)


KEYS: dict[str, Callable[[Found], Any]] = {
    "company": lambda one: None,
    "person": lambda one: one.owner and str(one.owner),
    "customer": lambda one: one.customer and str(one.customer),
    "status": lambda one: one.label,
    "kind": lambda one: one.label,
    "priority": lambda one: one.label,
    "segment": lambda one: one.segment,
}
ASKED = (
    ("sales-summary", "company", "day"),
    ("sales-summary", "person", "week"),
    ("sales-summary", "team", "whole"),
    ("sales-summary", "customer", "whole"),
    ("customer-statistics", "company", "week"),
    ("customer-statistics", "status", "whole"),
    ("customer-statistics", "segment", "whole"),
    ("approval-statistics", "company", "day"),
    ("approval-statistics", "kind", "whole"),
    ("approval-statistics", "person", "week"),
    ("task-completion", "company", "day"),
    ("task-completion", "person", "whole"),
    ("task-completion", "priority", "week"),
)


async def deliver(desk: Desk, month: Month) -> None:
    """In some order, in batches, a third of it twice."""
    records = []
    for each in month.shuffled():
        record = desk.h._record(each.event, each.document, each.sequence, desk.h.tenant, each.at, None)
        records.append(record)
        if month.random.random() < 0.3:
            records.append(month.random.choice(records))
    while records:
        many = month.random.randrange(1, 60)
        await desk.h.redeliver(*records[:many])
        del records[:many]


async def compare(desk: Desk, month: Month, as_of: date | None) -> None:
    moment = None if as_of is None else midnight(as_of + timedelta(days=1)) - timedelta(microseconds=1)
    count = Count(month, moment)
    end = midnight(UNTIL) - timedelta(microseconds=1)
    standing_at = end if moment is None else min(moment, end)
    then = Count(month, standing_at)
    # Cy went to the south on the 14th.
    moved = moment is None or moment >= midnight(date(2026, 10, 14))
    north, south = str(desk.north), str(desk.south)
    team = {desk.bo: north, desk.cy: south if moved else north, desk.di: south}
    keys: dict[str, Callable[[Found], Any]] = {**KEYS, "team": lambda one: one.owner and team.get(one.owner)}
    for report, by, interval in ASKED:
        money = report == "sales-summary"
        asked: dict[str, Any] = {"from_": BEGIN, "until": UNTIL, "by": by, "interval": interval, "as_of": as_of}
        answer = await desk.ask(f"/v1/reports/{report}", **asked)
        within = [each for each in count.found if midnight(BEGIN) <= each.at < midnight(UNTIL)]

        def place(one: Found) -> tuple[Any, ...]:
            return (first_day(one.at, interval), keys[by](one), one.currency if money else None)  # noqa: B023

        expected = counted(within, FIELDS[report], place)
        found = shown(answer["rows"], FIELDS[report], ("begins_on", "key", "currency"), money)
        assert expected, (report, by)
        same(expected, found, money)
        stands = [one for one in then.found if one.what != "task_due" or one.at <= standing_at]
        expected = counted(
            stands,
            STANDING[report],
            lambda one: (keys[by](one), one.currency if money else None),  # noqa: B023
        )
        same(expected, shown(answer["standing"], STANDING[report], ("key", "currency"), money), money)
        if report == "customer-statistics" and by == "company":
            ordering = defaultdict(set)
            for one in within:
                if one.what == "order_confirmed" and one.customer is not None:
                    ordering[first_day(one.at, interval)].add(one.customer)
            told = {row["begins_on"]: row["ordering"] for row in answer["rows"] if row["ordering"]}
            assert told == {day: len(who) for day, who in ordering.items()}


KPIS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "orders_confirmed": (("order_confirmed",), None),
    "order_net_confirmed": (("order_confirmed",), "EUR"),
    "order_amount_paid": (("order_paid",), "JPY"),
    "tasks_completed": (("task_completed",), None),
    "meetings_held": (("meeting_held",), None),
    "approvals_answered": (("approval_approved", "approval_rejected"), None),
}
"""Of each KPI what it counts; with a currency, the amounts in it."""


async def defined(desk: Desk) -> tuple[dict[str, str], str]:
    """The KPIs by measure, and a dashboard with a tile for each, all by day."""
    kpis, tiles = {}, []
    for measure, (_, currency) in KPIS.items():
        said: dict[str, Any] = {"measure": measure, "currency": currency, "period": "day"}
        body = {**said, "code": measure.upper(), "name": measure, "target": "9", "near": "9"}
        answer = await desk.h.client.post("/v1/kpis", json=body)
        assert answer.status_code == 201, answer.text
        kpis[measure] = answer.json()["id"]
        tiles.append({**said, "key": measure.replace("_", "-"), "title": measure, "periods": 31})
    answer = await desk.h.client.post("/v1/analytics/dashboards", json={"code": "D", "name": "D", "tiles": tiles})
    assert answer.status_code == 201, answer.text
    return kpis, answer.json()["id"]


async def compare_kpis(desk: Desk, month: Month, as_of: date, kpis: dict[str, str], dashboard: str) -> None:
    """Scorecards of the month, and a dashboard of the days before, as of the end of a day."""
    found = Count(month, midnight(as_of + timedelta(days=1)) - timedelta(microseconds=1)).found

    def value(measure: str, day: str) -> int:
        of, currency = KPIS[measure]
        meant = [one for one in found if one.what in of and first_day(one.at, "day") == day]
        return sum(one.count if currency is None else one.amount * (one.currency == currency) for one in meant)

    for measure, id in kpis.items():
        asked: dict[str, Any] = {"from_": BEGIN, "until": UNTIL, "as_of": as_of}
        scores = (await desk.ask(f"/v1/kpis/{id}/scorecard", **asked))["scores"]
        said = {score["begins_on"]: int(score["value"]) for score in scores}
        assert len(said) == 31
        assert said == {day: value(measure, day) for day in said}, measure
        assert any(said.values()) or as_of < BEGIN.replace(day=31), measure
    shown = await desk.ask(f"/v1/analytics/dashboards/{dashboard}/figures", as_of=as_of)
    for tile in shown["tiles"]:
        measure = tile["tile"]["measure"]
        drawn = {part["begins_on"]: int(part["value"]) for part in tile["parts"]}
        assert max(drawn) == as_of.isoformat()
        assert drawn == {day: value(measure, day) for day in drawn}, measure


@pytest.mark.parametrize("seed", [1, 20261128])
async def test_reports_say_what_a_count_of_everything_says(desk: Desk, seed: int) -> None:
    month = Month(seed, desk)
    month.fill()
    await desk.form(desk.north, desk.bo, at=midnight(date(2026, 10, 14)))
    await desk.form(desk.south, desk.di, desk.cy, at=midnight(date(2026, 10, 14)))
    await deliver(desk, month)
    kpis, dashboard = await defined(desk)
    for as_of in (None, *PAST):
        await compare(desk, month, as_of)
    for day in (*PAST, date(2026, 10, 31)):
        await compare_kpis(desk, month, day, kpis, dashboard)
