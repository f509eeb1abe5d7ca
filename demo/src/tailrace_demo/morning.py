"""A manager's morning: what the reports say, now and at past moments, how fresh they are, a chart, and a task announced while one reads."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tailrace_demo import past
from tailrace_demo.books import Check
from tailrace_demo.client import User
from tailrace_demo.expected import Expected
from tailrace_demo.setup import Shop, hire

WITHIN = 120.0
"""Seconds for the reports to have read everything, and for news to arrive."""
DAYS = "from=2026-01-01&until=2027-01-01"
"""All days of the job: orders are of March 2026, and what is done with them of today."""


@dataclass(frozen=True)
class Morning:
    """What there was to see. `complete_until` and `behind` are None while nobody can tell; `told_after` is in seconds."""

    checks: list[Check]
    complete_until: datetime | None
    behind: int | None
    chart: str
    news: str
    told_after: float


async def morning(shop: Shop, figures: Expected, entries: Iterable[dict[str, Any]]) -> Morning:
    """Read the reports until they have caught up; what they say must be what the requests say. Raises TimeoutError when no news comes."""
    entries = list(entries)
    manager = await hire(shop.admin, "manager", ["manager"])
    done, waiting = await _tasks(shop)
    news, told_after = await _hear_of_a_task(shop, manager)
    customers = sum(e["tenant"] == shop.firm.slug and e["path"] == "/v1/customers" for e in entries)
    wanted = {
        "orders placed": sum(figures.orders.values()),
        "ordered, net": figures.net_ordered,
        "shipped, net": figures.shipped,
        "spent on goods, net": figures.spent,
        "customers": customers,
        "approvals given": figures.approvals.get("approved", 0),
        "approvals refused": figures.approvals.get("rejected", 0),
        "approvals that wait": figures.approvals.get("pending", 0),
        "tasks done": done,
        "tasks that wait": waiting + 1,
    }
    then, screens = past.past(entries, shop.firm.slug, figures.nets), await past.keep(manager)
    wanted |= then.wanted()

    async def read() -> tuple[dict[str, Any], dict[str, Any]]:
        found, stamp = await _read(manager)
        return found | await past.read(manager, screens, then, DAYS), stamp

    found, stamp = await _reports(read, wanted)
    chart = await manager.get(f"/v1/reports/sales-summary.svg?{DAYS}&figure=shipped&currency={shop.firm.currency}")
    until, behind = stamp["complete_until"], [topic["behind"] for topic in stamp["topics"]]
    return Morning(
        checks=[Check(name, found[name], value, counted=not name.endswith("net")) for name, value in wanted.items()],
        complete_until=None if until is None else datetime.fromisoformat(until),
        behind=None if None in behind else sum(behind),
        chart=chart,
        news=news,
        told_after=told_after,
    )


async def _tasks(shop: Shop) -> tuple[int, int]:
    """Give the sellers something to do; how much of it is done, and how much waits."""
    done = 0
    for number, seller in enumerate(shop.sellers):
        task = await seller.post("/v1/tasks", {"title": f"Visit customer {number + 1}"}, key=f"task/{number}")
        if number % 2 == 0:
            await seller.patch(f"/v1/tasks/{task['id']}/status", {"status": "done"}, key=f"task/{number}/done")
            done += 1
    return done, len(shop.sellers) - done


async def _hear_of_a_task(shop: Shop, manager: User) -> tuple[str, float]:
    """What the manager's feed says of a task while it is open, and after how long. A later run finds it there, and at once."""
    who = (await manager.get("/v1/auth/me"))["id"]
    # Nobody is told of what happens before notifications has heard of them: until then, this is refused as not known yet.
    await shop.admin.post("/v1/notifications", {"title": "Welcome", "user_ids": [who]}, key="welcome")
    async with asyncio.timeout(WITHIN), aclosing(manager.events("/v1/notifications/stream", after="0")) as stream:
        body = {"title": "Approve the budget", "user_id": who}
        task = await shop.admin.post("/v1/tasks", body, key="task/budget")
        began = time.monotonic()
        async for said in stream:
            if said["document_id"] == task["id"]:
                return said["title"], time.monotonic() - began
    raise TimeoutError("the feed ended before the task was announced")


async def _reports(
    read: Callable[[], Awaitable[tuple[dict[str, Any], dict[str, Any]]]], wanted: dict[str, int]
) -> tuple[dict[str, Any], dict[str, Any]]:
    deadline = asyncio.get_running_loop().time() + WITHIN
    while True:
        found, stamp = await read()
        if found == wanted or asyncio.get_running_loop().time() > deadline:
            return found, stamp
        await asyncio.sleep(1)


async def _read(manager: User) -> tuple[dict[str, Any], dict[str, Any]]:
    """The reports as figures, and the stamp of the first that was read."""
    sales, customers, approvals, tasks = [
        await manager.get(f"/v1/reports/{name}?{DAYS}")
        for name in ("sales-summary", "customer-statistics", "approval-statistics", "task-completion")
    ]
    spend = await manager.get(f"/v1/analytics/spend?{DAYS}")
    return {
        "orders placed": _sum(sales["rows"], "placed", "count"),
        "ordered, net": _sum(sales["rows"], "placed", "amount"),
        "shipped, net": _sum(sales["rows"], "shipped", "amount"),
        "spent on goods, net": sum(row["spent"] for row in spend["rows"]),
        "customers": _sum(customers["standing"], "customers", "count"),
        "approvals given": _sum(approvals["rows"], "approved", "count"),
        "approvals refused": _sum(approvals["rows"], "rejected", "count"),
        "approvals that wait": _sum(approvals["standing"], "open", "count"),
        "tasks done": _sum(tasks["rows"], "completed", "count"),
        "tasks that wait": _sum(tasks["standing"], "open", "count"),
    }, sales["freshness"]


def _sum(rows: list[dict[str, Any]], figure: str, part: str) -> int:
    return sum(row[figure][part] for row in rows)
