"""Whoever leaves looks after nobody: a batch at a time, once each, also when it is interrupted."""

import pytest

from customers import commands

from .conftest import Sales


async def test_the_customers_of_a_leaver_are_left_without_anybody(
    sales: Sales, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(commands, "AT_ONCE", 2)
    theirs = [await sales.create(f"Theirs {number}") for number in range(5)]
    others, gone = await sales.create("Others"), await sales.create("Gone")
    for customer in [*theirs, gone]:
        await sales.assigned(customer, sales.bo)
    await sales.assigned(others, sales.cy)
    await sales.act(theirs[4], "merge", into_customer_id=others["id"], reason="The same")
    assert (await sales.h.client.delete(f"/v1/customers/{gone['id']}")).status_code == 204
    before = len(await sales.h.published("customer.assigned"))

    await sales.leaves(sales.bo)
    fired = 0
    while some := await sales.h.fire_timers():
        fired += some
    assert fired == 3, "two, two, and the last one"
    assert [(await sales.read(customer))["sales_rep_id"] for customer in theirs] == [None] * 5
    assert (await sales.read(others))["sales_rep_id"] == str(sales.cy)
    told = [one.event for one in await sales.h.published("customer.assigned")][before:]
    assert sorted(str(one.customer_id) for one in told) == sorted(one["id"] for one in theirs)  # type: ignore[attr-defined]
    assert {one.previous_sales_rep_id for one in told} == {sales.bo}  # type: ignore[attr-defined]


async def test_a_user_who_is_still_there_in_the_copy_is_looked_for_again(sales: Sales) -> None:
    async with sales.h.tx() as tx:
        await commands.hand_over(tx, sales.bo)
    waiting = await sales.h.admin.fetchval("SELECT count(*) FROM timer WHERE key = $1", sales.bo)
    assert waiting == 1
