"""Reminders: one letter for all that has reached a new level, each level once, with its fee."""

import asyncio
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from billing import Billing, beginning

from accounting.dunning.bodies import DunningLevel
from accounting.dunning.commands import reached
from accounting.dunning.schedules import Night, batch
from accounting.roles import RoleMap, RolesFrom
from tailrace.core.ids import uuid7
from tailrace_testing import today

LEVELS: list[dict[str, Any]] = [
    {"days": 3, "text": "Please pay."},
    {"days": 10, "fee": 500, "fee_currency": "EUR", "text": "Please pay at once."},
]
DUE = date(2026, 3, 31)


@pytest.mark.parametrize(("late", "level"), [(-1, 0), (2, 0), (3, 1), (9, 1), (10, 2), (400, 2)])
def test_a_level_is_reached_so_many_days_after_it_was_due(late: int, level: int) -> None:
    levels = [DunningLevel.model_validate(each) for each in LEVELS]
    assert reached(levels, DUE, DUE + timedelta(days=late)) == level
    assert reached([], DUE, DUE + timedelta(days=late)) == 0


def due_for(days: int) -> str:
    """The day of an invoice that has been due for so many days."""
    return (today() - timedelta(days=14 + days)).isoformat()


async def notices(billing: Billing) -> list[dict[str, Any]]:
    return list((await billing.get("/dunning-notices"))["items"])


async def test_a_customer_is_reminded_of_all_at_once_and_of_each_level_once(billing: Billing) -> None:
    await billing.put("/dunning-policy", levels=LEVELS)
    old = await billing.invoiced(("1", 1_000, "0.1"), dated=due_for(10))
    new = await billing.invoiced(("1", 2_000, "0.1"), dated=due_for(4))
    young = await billing.invoiced(("1", 4_000, "0.1"), dated=due_for(2))
    notice = await billing.post("/dunning-notices", invoice_id=new["id"])
    assert [(each["number"], each["open"], each["level"]) for each in notice["items"]] == [
        (old["number"], 1_100, 2),
        (new["number"], 2_200, 1),
    ]
    assert (notice["level"], notice["open"], notice["fee"], notice["total"]) == (2, 3_300, 500, 3_800)
    assert notice["number"] == f"D-{today().year}-00001"
    fee = await billing.get(f"/invoices/{notice['fee_invoice_id']}")
    assert (fee["status"], fee["total"], fee["due_on"], fee["customer_id"]) == (
        "issued",
        500,
        today().isoformat(),
        str(billing.ada),
    )
    for each in (old, new, young):
        said = await billing.post("/dunning-notices", 409, invoice_id=each["id"])
        assert said["type"] == "urn:tailrace:problem:nothing-to-remind"
    levels = [(await billing.read(each))["dunning_level"] for each in (old, new, young)]
    assert levels == [2, 1, 0]
    made = await billing.h.client.get(f"/v1/accounting/dunning-notices/{notice['id']}/document")
    assert (made.status_code, made.content[:5]) == (200, b"%PDF-")


async def test_of_several_who_remind_at_once_one_does(billing: Billing) -> None:
    await billing.put("/dunning-policy", levels=LEVELS)
    invoice = await billing.invoiced(dated=due_for(5))
    body = {"invoice_id": invoice["id"]}
    asked = [billing.h.client.post("/v1/accounting/dunning-notices", json=body) for _ in range(4)]
    assert sorted(each.status_code for each in await asyncio.gather(*asked)) == [201, 409, 409, 409]


async def _night(billing: Billing) -> None:
    async with billing.h.tx() as tx:
        await batch.set(tx, tx.tenant_id, datetime.now(UTC), Night(day=today()))
    async with asyncio.timeout(60):
        while await billing.h.admin.fetchval("SELECT count(*) FROM timer WHERE name = $1", batch.name):
            await billing.h.fire_timers()


async def test_each_night_everybody_is_reminded_once_and_nobody_who_paid(billing: Billing) -> None:
    bank = await billing.bank()
    await billing.put("/dunning-policy", automatic=True, levels=LEVELS)
    bob = await billing.customer(uuid7(), "C-2", "Bob Ltd")
    mine = await billing.invoiced(dated=due_for(5))
    order = await billing.order(("1", 100, "0.1"), customer_id=bob)
    theirs = await billing.post("/invoices", shipment_ids=[str(await billing.ship(order, at=beginning(due_for(5))))])
    await billing.issue(theirs, dated=due_for(5))
    paid = await billing.invoiced(dated=due_for(5))
    await billing.pay(bank, 11_000, paid)
    for _ in range(2):
        await _night(billing)
    found = await notices(billing)
    assert {each["customer_id"] for each in found} == {str(billing.ada), str(bob)}
    assert [
        [item["number"] for item in each["items"]] for each in found if each["customer_id"] == str(billing.ada)
    ] == [[mine["number"]]]


async def test_one_whose_fee_cannot_be_asked_for_holds_up_nobody(billing: Billing) -> None:
    """The company's chart has lost the account that fees are booked to; the next night makes up for it."""
    await billing.put("/dunning-policy", automatic=True, levels=LEVELS)
    bob = await billing.customer(uuid7(), "C-2", "Bob Ltd")
    for age in (12, 11):
        await billing.invoiced(dated=due_for(age))
    order = await billing.order(("1", 100, "0.1"), customer_id=bob)
    theirs = await billing.post("/invoices", shipment_ids=[str(await billing.ship(order, at=beginning(due_for(5))))])
    await billing.issue(theirs, dated=due_for(5))
    admin, tenant = billing.h.admin, billing.h.tenant
    roles = await admin.fetchval("SELECT roles FROM book WHERE tenant_id = $1", tenant)
    lost = RoleMap([RolesFrom(roles={"receivable": "1200"})]).stored()
    await admin.execute("UPDATE book SET roles = $2 WHERE tenant_id = $1", tenant, json.dumps(lost))
    await _night(billing)
    assert [each["customer_id"] for each in await notices(billing)] == [str(bob)]
    assert await admin.fetchval("SELECT max(dunning_level) FROM invoice WHERE customer_id = $1", billing.ada) == 0
    await admin.execute("UPDATE book SET roles = $2 WHERE tenant_id = $1", tenant, roles)
    await _night(billing)
    reminded = [len(each["items"]) for each in await notices(billing) if each["customer_id"] == str(billing.ada)]
    assert reminded == [2]


@pytest.mark.parametrize("levels", [[LEVELS[1], LEVELS[0]], [LEVELS[0], LEVELS[0]], [{"days": 3, "fee": 5}]])
async def test_levels_rise_and_a_fee_has_a_currency(billing: Billing, levels: list[dict[str, Any]]) -> None:
    await billing.put("/dunning-policy", 422, levels=levels)
