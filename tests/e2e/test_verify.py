"""`tailrace verify`: an operator proves stock and books of every tenant from the events, and is told the first row that does not follow."""

import json

import asyncpg
import pytest
from command import tailrace
from company import Company

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway

pytestmark = pytest.mark.early


async def test_stock_and_books_follow_from_the_events_of_a_day_of_trade(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    order = await company.order(3)
    await company.ship(order["id"])
    await company.settled(fleet)
    code, said = await tailrace(fleet, "verify", "--json")
    proofs = json.loads(said)
    assert (code, {one["service"] for one in proofs}) == (0, {"inventory", "accounting"}), said
    ours = [one for one in proofs if one["tenant_id"] == str(company.member.tenant_id)]
    assert all(one["proven"] and one["events"] for one in ours)
    assert all(table["derived"] == table["live"] for one in ours for table in one["tables"].values())
    code, said = await tailrace(fleet, "verify", "orders")
    assert (code, "there are: accounting, inventory" in said) == (1, True), said


async def test_the_first_row_that_does_not_follow_is_named(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    admin = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + "/inventory")
    tenant = str(company.member.tenant_id)
    try:
        change = "UPDATE stock_level SET value = value + $2 WHERE tenant_id = $1::uuid"
        await admin.execute(change, tenant, 7)
        code, said = await tailrace(fleet, "verify", "inventory", "--tenant", tenant)
        assert (code, "1 differences" in said, f"stock_level {company.item_id}" in said) == (1, True, True), said
        await admin.execute(change, tenant, -7)
    finally:
        await admin.close()
    code, said = await tailrace(fleet, "verify", "inventory", "--tenant", tenant)
    assert (code, f"inventory {tenant}: " in said) == (0, True), said
