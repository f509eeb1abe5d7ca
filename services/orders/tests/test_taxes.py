"""What an order is taxed at: dated codes, the tenant's policy, and lines that add up to what the document says."""

from datetime import date
from typing import Any
from uuid import UUID

import pytest

from contracts import catalog
from contracts import orders as events
from tailrace.core.ids import uuid7

from .conftest import Desk, shipping


async def bolts(desk: Desk, tax: str, *amounts: int) -> dict[str, Any]:
    await desk.item(desk.bolt, "BOLT", tax=tax)
    return await desk.create(*[desk.line(quantity="1", net=net) for net in amounts])


async def test_a_hundred_lines_of_thirty_cents_at_fifteen_per_cent(desk: Desk) -> None:
    order = await bolts(desk, "0.15", *[30] * 100)
    assert (order["net"], order["tax"], order["total"]) == (3000, 450, 3450)
    assert [line["tax"] for line in order["lines"]] == [5] * 50 + [4] * 50
    assert order["taxes"] == [{"code": None, "rate": "0.15", "net": 3000, "tax": 450}]


async def test_two_fifty_at_five_per_cent(desk: Desk) -> None:
    assert (await bolts(desk, "0.05", 250))["tax"] == 13


@pytest.mark.parametrize(
    ("level", "mode", "tax"),
    [
        ("document", "half_up", 5),
        ("document", "half_even", 4),
        ("document", "down", 4),
        ("line", "half_up", 6),
        ("line", "half_even", 6),
        ("line", "down", 3),
    ],
)
async def test_a_policy_says_how(desk: Desk, level: str, mode: str, tax: int) -> None:
    """Three lines of 15 at 10 % are 4.5; each line is 1.5."""
    await desk.round_by(level, mode)
    assert (await bolts(desk, "0.1", 15, 15, 15))["tax"] == tax


async def test_a_policy_holds_from_its_day_on_and_before_it_the_default(desk: Desk) -> None:
    await desk.tax_policy(
        catalog.DatedRounding(valid_from=date(2026, 4, 1), level="line", mode="down"),
        catalog.DatedRounding(valid_from=date(2026, 7, 1), level="line", mode="half_up"),
    )
    taxes = {}
    for day in ("2026-03-31", "2026-04-01", "2026-06-30", "2026-07-01"):
        lines = [desk.line(quantity="1", net=15)] * 3
        taxes[day] = (await desk.create(*lines, ordered_at=f"{day}T12:00:00Z"))["tax"]
    assert list(taxes.values()) == [5, 3, 3, 6]


async def test_each_rate_is_rounded_once_and_nothing_is_no_tax(desk: Desk) -> None:
    await desk.item(desk.flour, "FLOUR", tax="0.05")
    free = uuid7()
    await desk.item(free, "FREE", tax="0")
    flour, gift = str(desk.flour), str(free)
    order = await desk.create(
        desk.line(quantity="1", net=5),
        desk.line(item_id=flour, quantity="1", net=10),
        desk.line(item_id=gift, quantity="1", net=999),
        desk.line(quantity="1", net=0),
        desk.line(item_id=flour, quantity="1", net=20),
        desk.line(quantity="1", net=10),
    )
    assert order["taxes"] == [
        {"code": None, "rate": "0", "net": 999, "tax": 0},
        {"code": None, "rate": "0.05", "net": 30, "tax": 2},
        {"code": None, "rate": "0.1", "net": 15, "tax": 2},
    ]
    assert [line["tax"] for line in order["lines"]] == [1, 1, 0, 0, 1, 1]
    (created,) = await desk.asked("order.created")
    assert [one.model_dump(mode="json") for one in created.taxes] == order["taxes"]


async def test_an_item_is_taxed_by_its_code_on_the_day_of_the_order(desk: Desk) -> None:
    standard = uuid7()
    await desk.tax_code(standard, "STANDARD", ("2020-07-01", "0.16"), ("2021-01-01", "0.19"))
    await desk.item(desk.bolt, "BOLT", code=standard)
    shown = {}
    for day in ("2020-07-01", "2020-12-31", "2021-01-01", "2026-05-05"):
        order = await desk.create(desk.line(net=1000), ordered_at=f"{day}T12:00:00Z")
        (line,) = order["lines"]
        shown[day] = (line["tax_code"], line["tax_rate"], order["taxes"][0]["code"], order["tax"])
    assert (
        list(shown.values())
        == [("STANDARD", "0.16", "STANDARD", 160)] * 2 + [("STANDARD", "0.19", "STANDARD", 190)] * 2
    )
    early = await desk.h.client.post("/v1/orders", json=desk.body(ordered_at="2020-06-30T12:00:00Z"))
    assert (early.status_code, early.json()["errors"][0]["field"]) == (422, "/lines/0/item_id")


async def test_a_rate_is_rounded_once_whatever_codes_its_sales_have(desk: Desk) -> None:
    goods, services = uuid7(), uuid7()
    await desk.tax_code(goods, "GOODS", ("2020-01-01", "0.1"))
    await desk.tax_code(services, "SERVICES", ("2021-01-01", "0.1"))
    await desk.item(desk.flour, "FLOUR", unit="kg", code=goods)
    spare = uuid7()
    await desk.item(spare, "SPARE", code=services)
    order = await desk.create(
        *[desk.line(item_id=str(id), quantity="1", net=5) for id in (spare, desk.flour, desk.bolt)]
    )
    assert (order["tax"], [line["tax"] for line in order["lines"]]) == (2, [1, 1, 0])
    assert order["taxes"] == [
        {"code": None, "rate": "0.1", "net": 5, "tax": 0},
        {"code": "GOODS", "rate": "0.1", "net": 5, "tax": 1},
        {"code": "SERVICES", "rate": "0.1", "net": 5, "tax": 1},
    ]


async def test_a_code_may_round_in_its_own_way(desk: Desk) -> None:
    fuel = uuid7()
    await desk.tax_code(fuel, "FUEL", ("2020-01-01", "0.1"), rounding=("line", "down"))
    await desk.item(desk.flour, "FLOUR", unit="kg", code=fuel)
    plain, special = desk.line(quantity="1", net=15), desk.line(item_id=str(desk.flour), quantity="1", net=15)
    order = await desk.create(plain, special, plain, special, plain)
    assert order["taxes"] == [
        {"code": None, "rate": "0.1", "net": 45, "tax": 5},
        {"code": "FUEL", "rate": "0.1", "net": 30, "tax": 2},
    ]


async def test_a_code_that_is_still_on_its_way_is_worth_another_try(desk: Desk) -> None:
    code = uuid7()
    await desk.item(desk.bolt, "BOLT", code=code)
    answer = await desk.h.client.post("/v1/orders", json=desk.body())
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "/lines/0/item_id")
    assert answer.json()["type"].endswith("not-yet-known")
    await desk.tax_code(code, "S", ("2020-01-01", "0.1"))
    assert (await desk.create())["tax"] == 100


async def test_what_was_confirmed_keeps_its_tax(desk: Desk) -> None:
    code = uuid7()
    await desk.tax_code(code, "S", ("2020-01-01", "0.1"))
    await desk.item(desk.bolt, "BOLT", code=code)
    order = await desk.confirmed()
    await desk.tax_code(code, "S", ("2020-01-01", "0.2"))
    await desk.round_by("line", "down")
    assert (await desk.read(order))["taxes"] == [{"code": "S", "rate": "0.1", "net": 1000, "tax": 100}]


async def test_a_shipment_is_asked_for_with_the_tax_that_the_line_was_given(desk: Desk) -> None:
    await desk.item(desk.bolt, "BOLT", tax="0.15")
    lines = [desk.line(quantity="3", net=30)] * 3
    order, _, request = await shipping(desk, *lines)
    assert isinstance(request, events.ShipmentRequested)
    assert [line.line_tax for line in request.lines] == [line["tax"] for line in order["lines"]] == [5, 5, 4]
    assert order["tax"] == 14
    assert [UUID(line["id"]) for line in order["lines"]] == [line.line_id for line in request.lines]
