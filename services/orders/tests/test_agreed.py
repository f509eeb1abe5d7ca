"""What an order does not say itself is as was agreed with its customer: the price list, the address for goods; and when it is due, it may say."""

from typing import Any
from uuid import UUID

import pytest

from contracts import customers
from tailrace.core.ids import uuid7

from .conftest import Desk

AT = "/v1/orders"
DEPOT = customers.PostalAddress(use="shipping", lines=["Kai 3"], city="Hamburg", postal_code="20457", country="DE")
OFFICE = customers.PostalAddress(use="office", lines=["12 Analytical Row"], city="Ockham", country="GB")


async def customer(desk: Desk, **given: Any) -> UUID:
    id = uuid7()
    said: dict[str, Any] = {"number": "C-1", "name": "Ada Works", "kind": "company", "status": "active"}
    said |= {"currency": "EUR", "payment_terms_days": 30, "price_list_id": desk.retail, "addresses": [OFFICE, DEPOT]}
    await desk.h.deliver(customers.CustomerUpdated(customer_id=id, **{**said, **given}), aggregate_id=id)
    return id


def unpriced(desk: Desk, **given: Any) -> dict[str, Any]:
    line = desk.line(**given)
    return {name: value for name, value in line.items() if name != "unit_price"}


async def refused(desk: Desk, *lines: dict[str, Any], **given: Any) -> list[tuple[str, str]]:
    answer = await desk.h.client.post(AT, json=desk.body(*lines, **given))
    assert answer.status_code == 422, answer.text
    assert await desk.asked("order.created") == []
    return [(each["field"], each["detail"]) for each in answer.json()["errors"]]


async def test_a_line_without_a_price_is_priced_by_the_customers_list(desk: Desk) -> None:
    ada = str(await customer(desk))
    order = await desk.create(unpriced(desk), desk.line(quantity="1", unit_price="7"), customer_id=ada)
    assert [(line["price_list_id"], line["unit_price"], line["net"]) for line in order["lines"]] == [
        (str(desk.retail), "120.5", 1205),
        (None, "7", 7),
    ]
    changed = await desk.h.client.put(
        f"{AT}/{order['id']}", json=desk.body(unpriced(desk, quantity="1"), customer_id=ada)
    )
    assert changed.json()["lines"][0]["net"] == 150


async def test_what_was_priced_by_the_customers_list_is_priced_by_it_when_it_binds(desk: Desk) -> None:
    order = await desk.create(unpriced(desk), customer_id=str(await customer(desk)))
    await desk.prices(desk.retail, ("1", "200"))
    asked = await desk.act(order, "confirm", 409)
    assert [each["field"] for each in asked["errors"]] == ["/lines/0/unit_price"]
    assert (await desk.act(order, "confirm", reprice=True))["net"] == 2000


@pytest.mark.parametrize("way", ["no list", "another currency", "only named", "from before"])
async def test_without_a_list_that_was_agreed_a_price_is_asked_for(desk: Desk, way: str) -> None:
    ada = str(await customer(desk, **({"price_list_id": None} if way == "no list" else {})))
    if way == "from before":
        await desk.h.admin.execute("UPDATE customer_copy SET currency = NULL, price_list_id = NULL, addresses = '[]'")
    given = {"currency": "USD"} if way == "another currency" else {}
    if way != "only named":
        given["customer_id"] = ada
    ((field, detail),) = await refused(desk, desk.line(), unpriced(desk), **given)
    assert (field, detail.split(":")[0]) == ("/lines/1", "Give one of unit_price, net and price_list_id")
    priced = await desk.create(desk.line(), **given)
    assert (priced["net"], priced["ship_to"] is None) == (1000, way in ("only named", "from before"))


async def test_two_prices_of_a_line_are_refused(desk: Desk) -> None:
    both = await refused(desk, desk.line(unit_price="1", net=10))
    assert [field for field, _ in both] == ["/lines/0/unit_price", "/lines/0/net"]


async def test_an_item_that_the_customers_list_does_not_have_is_refused(desk: Desk) -> None:
    ada = str(await customer(desk))
    errors = await refused(desk, unpriced(desk, item_id=str(desk.flour), quantity="1"), customer_id=ada)
    assert [field for field, _ in errors] == ["/lines/0/price_list_id"]


async def test_goods_go_to_the_customers_address_for_goods(desk: Desk) -> None:
    ada, bob = str(await customer(desk)), str(await customer(desk, addresses=[OFFICE]))
    order = await desk.create(customer_id=ada)
    assert order["ship_to"] == {"lines": ["Kai 3"], "city": "Hamburg", "postal_code": "20457", "country": "DE"}
    assert (await desk.create(customer_id=bob))["ship_to"] is None, "an office is no address for goods"
    other = await desk.create(customer_id=ada, ship_to={"city": "Leeds", "country": "GB"})
    assert (other["ship_to"]["city"], other["ship_to"]["lines"]) == ("Leeds", [])
    again = await desk.h.client.put(f"{AT}/{other['id']}", json=desk.body(customer_id=ada))
    assert again.json()["ship_to"]["city"] == "Hamburg"


async def test_of_merged_customers_it_is_what_was_agreed_with_the_one_that_stays(desk: Desk) -> None:
    ada, group = await customer(desk, price_list_id=None, addresses=[]), await customer(desk)
    merged = customers.CustomerMerged(customer_id=ada, into_customer_id=group, reason="the same")
    await desk.h.deliver(merged, aggregate_id=ada)
    order = await desk.create(unpriced(desk), customer_id=str(ada))
    assert (order["customer_id"], order["net"], order["ship_to"]["city"]) == (str(group), 1205, "Hamburg")


async def test_an_order_may_say_when_it_is_due(desk: Desk) -> None:
    order = await desk.confirmed(payment_terms_days=60)
    assert order["payment_terms_days"] == 60
    told = [*await desk.asked("order.created"), *await desk.asked("order.confirmed")]
    assert [one.payment_terms_days for one in told] == [60, 60]
    draft = await desk.create(payment_terms_days=0)
    assert draft["payment_terms_days"] == 0
    agreed = await desk.h.client.put(f"{AT}/{draft['id']}", json=desk.body())
    assert agreed.json()["payment_terms_days"] is None
    (changed,) = await desk.asked("order.changed")
    assert changed.payment_terms_days is None


@pytest.mark.parametrize("days", [-1, 366, 1.5])
async def test_terms_that_nobody_gives_are_refused(desk: Desk, days: float) -> None:
    assert [field for field, _ in await refused(desk, payment_terms_days=days)] == ["/payment_terms_days"]
