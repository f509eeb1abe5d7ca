"""`tailrace rebuild` on a fleet that works: orders go on being priced from the read model while it is built again and switched."""

import asyncio
import signal
from uuid import UUID, uuid4

import asyncpg
import httpx2
import pytest
from command import Command, beside, tailrace
from company import PRICE, Company

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually

_SCHEMA = "rebuild_orders_catalog"
_PACE = 0.1
"""Seconds between two requests of one who trades meanwhile: more would be tried by what all the others of the fleet hear of it."""
pytestmark = pytest.mark.early


def _unanswered(answer: httpx2.Response) -> bool:
    """As on a machine that is busy, and asked for again with the same key: no answer yet, or the request before it still under way."""
    return answer.status_code == 504 or (
        answer.status_code == 409 and answer.json()["type"].endswith(":idempotency-key-in-flight")
    )


async def _rebuild(fleet: Stack, *arguments: str) -> tuple[int, str]:
    return await tailrace(fleet, "rebuild", *arguments)


async def test_rebuilt_under_traffic(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    await company.order(1)
    orders = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + "/orders")
    tenant, item = UUID(company.member.tenant_id), UUID(company.item_id)
    done = asyncio.Event()

    async def trade() -> None:
        """An order needs the item's copy for its unit and tax: refused if that were away for a moment."""
        key = str(uuid4())
        while not done.is_set():
            answer = await company.member.send("POST", "/v1/orders", key=key, json=company.body(1))
            await asyncio.sleep(_PACE)
            if _unanswered(answer):
                continue
            assert answer.status_code == 201, answer.text
            company.accepted[answer.json()["id"]], key = 1, str(uuid4())

    async def change() -> None:
        number = 0
        while not done.is_set():
            number += 1
            await company.member.post(
                "/v1/items", {"sku": f"X-{number}", "name": "More", "unit": "pcs", "tax_rate": "0.1"}
            )
            await asyncio.sleep(_PACE)

    async def built() -> bool:
        query = "SELECT true FROM pg_namespace WHERE nspname = $1"
        return bool(await orders.fetchval(query, _SCHEMA))

    busy = [asyncio.create_task(trade()), asyncio.create_task(change())]
    try:
        code, said = await _rebuild(fleet, "orders.catalog", "--check")
        assert (code, "is what the topics say" in said) == (0, True), said

        interrupted = Command(("rebuild", "orders.catalog"), beside(fleet))
        await eventually(built, bool, what="a rebuild under way")
        interrupted.signal(signal.SIGKILL)
        await interrupted.ended()

        before = await orders.fetchval("SELECT i::text FROM item_copy i WHERE (tenant_id, id) = ($1, $2)", tenant, item)
        await orders.execute("UPDATE item_copy SET name = 'wrong' WHERE (tenant_id, id) = ($1, $2)", tenant, item)
        code, said = await _rebuild(fleet, "orders.catalog", "--check")
        assert (code, f"item_copy, tenant {tenant}: 0 only live, 0 only rebuilt, 1 different" in said) == (1, True), (
            said
        )
        code, said = await _rebuild(fleet, "orders.catalog")
        assert (code, "was put right" in said) == (0, True), said
        after = await orders.fetchval("SELECT i::text FROM item_copy i WHERE (tenant_id, id) = ($1, $2)", tenant, item)
        assert (after, await built()) == (before, False)
    finally:
        done.set()
        await asyncio.gather(*busy)
    code, said = await _rebuild(fleet, "orders.catalog", "--check")
    assert (code, "is what the topics say" in said) == (0, True), said
    assert await orders.fetchval("SELECT count(*) FROM dead_letter WHERE tenant_id = $1", tenant) == 0
    await orders.close()


async def test_timelines_are_built_again_while_what_they_tell_of_moves(fleet: Stack, gateway: Gateway) -> None:
    """Tasks go from one customer to another, opportunities through stages, and the customers are merged and split meanwhile."""
    member = await gateway.new_tenant()
    ada, bob = [
        (await member.post("/v1/customers", {"name": name, "currency": "EUR"}))["id"] for name in ("Ada", "Bob")
    ]
    task = await eventually(
        lambda: member.send("POST", "/v1/tasks", json={"title": "Call", "customer_id": ada}),
        lambda answer: answer.status_code == 201,
        what="a task for the customer, once activities have heard of it",
    )
    done = asyncio.Event()

    async def move() -> None:
        number = 0
        while not done.is_set():
            number += 1
            whose = {"title": f"Call {number}", "customer_id": (ada, bob)[number % 2]}
            answer = await member.send("PUT", f"/v1/tasks/{task.json()['id']}", json=whose)
            assert answer.status_code in {200, 409}, answer.text
            await asyncio.sleep(_PACE)

    async def merge() -> None:
        while not done.is_set():
            for act, said in (("merge", {"into_customer_id": bob}), ("unmerge", {})):
                answer = await member.send("POST", f"/v1/customers/{ada}/{act}", json={"reason": "One", **said})
                assert answer.status_code == 200, answer.text
                await asyncio.sleep(_PACE)

    busy = [asyncio.create_task(move()), asyncio.create_task(merge())]
    try:
        for arguments, wanted in ((("--check",), "is what the topics say"), ((), "customers.timeline")):
            code, said = await _rebuild(fleet, "customers.timeline", *arguments)
            assert (code, wanted in said) == (0, True), said
    finally:
        done.set()
        await asyncio.gather(*busy)
    code, said = await _rebuild(fleet, "customers.timeline", "--check")
    assert (code, "is what the topics say" in said) == (0, True), said
    told = [each["type"] for each in await member.every(f"/v1/customers/{ada}/timeline")]
    assert {"customer.created", "customer.merged", "customer.unmerged"} <= set(told)


async def test_only_projections(fleet: Stack) -> None:
    for name, reason in (
        ("orders.fulfilment", "is a saga"),
        ("inventory.fulfilment", "is a reaction"),
        ("orders.nothing", "there are: accounting.companies, accounting.customers, accounting.dates, accounting.days"),
    ):
        code, said = await _rebuild(fleet, name)
        assert (code, reason in said) == (1, True), said


async def test_reports_are_rebuilt_under_traffic(fleet: Stack, gateway: Gateway) -> None:
    """What orders come to is added up again from the topics while more of them come, are confirmed and cancelled: the same rows, none twice."""
    company = await Company.found(gateway)
    await company.order(1)
    analytics = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + "/analytics")
    tenant = UUID(company.member.tenant_id)
    done, cancelled = asyncio.Event(), set[str]()

    async def trade() -> None:
        key, number = str(uuid4()), 1
        while not done.is_set():
            answer = await company.member.send(
                "POST", "/v1/orders", key=key, json=company.body(1 + number % 5, confirm=number % 3 > 0)
            )
            await asyncio.sleep(_PACE)
            if _unanswered(answer):
                continue
            assert answer.status_code == 201, answer.text
            made, key = answer.json(), str(uuid4())
            company.accepted[made["id"]] = 1 + number % 5
            if number % 3 == 0:
                await company.member.post(f"/v1/orders/{made['id']}/cancel", {"reason": "no"})
                cancelled.add(made["id"])
            number += 1

    async def reported() -> tuple[int, int, int]:
        """Placed, cancelled and the units that were asked for, as the summary has them."""
        (row,) = (await company.member.get("/v1/reports/sales-summary"))["rows"]
        return row["placed"]["count"], row["cancelled"]["count"], row["placed"]["amount"] // PRICE

    busy = asyncio.create_task(trade())
    try:
        code, said = await _rebuild(fleet, "analytics.movements", "--check")
        assert (code, "is what the topics say" in said) == (0, True), said
        row = "(SELECT id FROM movement WHERE tenant_id = $1 ORDER BY id LIMIT 1)"
        await analytics.execute(f"UPDATE movement SET amount = amount + 1 WHERE id = {row}", tenant)
        await analytics.execute(
            "DELETE FROM movement WHERE id = (SELECT max(id::text)::uuid FROM movement WHERE tenant_id = $1)", tenant
        )
        code, said = await _rebuild(fleet, "analytics.movements", "--check")
        assert (code, f"movement, tenant {tenant}: 0 only live, 1 only rebuilt, 1 different" in said) == (1, True), said
        code, said = await _rebuild(fleet, "analytics.movements")
        assert (code, "was put right" in said) == (0, True), said
    finally:
        done.set()
        await busy
    code, said = await _rebuild(fleet, "analytics.movements", "--check")
    assert (code, "is what the topics say" in said) == (0, True), said
    asked = len(company.accepted), len(cancelled), sum(company.accepted.values())
    assert await eventually(reported, lambda found: found == asked, what="the report of all orders") == asked
    assert await analytics.fetchval("SELECT count(*) FROM dead_letter WHERE tenant_id = $1", tenant) == 0
    await analytics.close()
