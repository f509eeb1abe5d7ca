"""A draft binds at what it costs on the day of its confirmation: the same, repriced with consent, or refused with what has changed."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from contracts import catalog
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock

from .conftest import Desk

ALWAYS: dict[str, Any] = {"valid_from": None, "valid_until": None}
LONG_AGO = "2020-01-01"


async def listed(desk: Desk, *more: dict[str, Any], **given: Any) -> dict[str, Any]:
    """A draft of ten bolts by the price list, which is valid at any time."""
    await desk.prices(desk.retail, ("1", "150"), ("10", "120.5"), **ALWAYS)
    return await desk.create(desk.line(price_list_id=str(desk.retail)), *more, **given)


async def refused(desk: Desk, order: dict[str, Any], status: int = 409, **body: Any) -> list[str]:
    """The fields that the refusal names; the draft is as it was."""
    answer = await desk.act(order, "confirm", status, **body)
    assert answer["type"].endswith("price-changed" if status == 409 else "invalid"), answer
    assert await desk.read(order) == order
    assert await desk.asked("order.confirmed") == await desk.asked("order.changed") == []
    return [error["field"] for error in answer["errors"]]


async def test_what_costs_the_same_is_confirmed_as_it_is(desk: Desk) -> None:
    order = await listed(desk, desk.line(quantity="3", net=1000))
    confirmed = await desk.act(order, "confirm")
    same = ("lines", "taxes", "net", "tax")
    assert {name: confirmed[name] for name in same} == {name: order[name] for name in same}
    assert await desk.asked("order.changed") == []


async def test_a_changed_price_is_refused_and_with_consent_taken(desk: Desk) -> None:
    order = await listed(desk, desk.line())
    await desk.prices(desk.retail, ("1", "150"), ("10", "130"), **ALWAYS)
    assert await refused(desk, order) == ["/lines/0/unit_price"]
    assert await refused(desk, order, reprice=False) == ["/lines/0/unit_price"]

    confirmed = await desk.act(order, "confirm", reprice=True)
    assert (confirmed["status"], confirmed["net"], confirmed["tax"], confirmed["total"]) == (
        "confirmed",
        2300,
        230,
        2530,
    )
    assert [(line["unit_price"], line["net"], line["tax"]) for line in confirmed["lines"]] == [
        ("130", 1300, 130),
        ("100", 1000, 100),
    ]
    assert [line["id"] for line in confirmed["lines"]] == [line["id"] for line in order["lines"]]
    now = await desk.read(order)
    assert (now["net"], now["tax"], now["lines"]) == (2300, 230, confirmed["lines"])
    types = [one.type for one in await desk.h.published()][:3]
    assert types == ["order.created", "order.changed", "order.confirmed"]
    (bound,) = await desk.asked("order.confirmed")
    assert (bound.net, bound.tax, bound.taxes[0].tax, bound.lines[0].net) == (2300, 230, 230, 1300)
    assert len(await desk.asked("order.reservation_requested")) == 1


async def test_what_a_client_agreed_stays_and_only_its_tax_is_looked_at(desk: Desk) -> None:
    """A price that was given, for a box, and one that follows from an amount."""
    order = await desk.create(desk.line(quantity="2", unit="box", unit_price="10"), desk.line(quantity="3", net=1000))
    await desk.item(desk.bolt, "BOLT", tax="0.2", box="10")
    assert await refused(desk, order) == ["/lines/0/tax_rate", "/lines/1/tax_rate"]
    confirmed = await desk.act(order, "confirm", reprice=True)
    assert [(line["quantity"], line["unit_price"], line["net"]) for line in confirmed["lines"]] == [
        ("24", "0.833333", 20),
        ("3", "333.333333", 1000),
    ]
    assert (confirmed["tax"], confirmed["taxes"]) == (204, [{"code": None, "rate": "0.2", "net": 1020, "tax": 204}])


async def test_a_rate_that_begins_between_draft_and_confirmation(desk: Desk) -> None:
    code = uuid7()
    await desk.item(desk.bolt, "BOLT", code=code)
    today = datetime.now(UTC).date()
    await desk.tax_code(code, "S", (LONG_AGO, "0.16"), (str(today - timedelta(days=1)), "0.19"))
    order = await desk.create(ordered_at=f"{today - timedelta(days=2)}T12:00:00Z")
    assert order["lines"][0]["tax_rate"] == "0.16"
    assert await refused(desk, order) == ["/lines/0/tax_rate"]
    confirmed = await desk.act(order, "confirm", reprice=True)
    assert (confirmed["lines"][0]["tax_rate"], confirmed["tax"]) == ("0.19", 190)


async def test_a_rounding_that_changed_is_said_of_the_tax(desk: Desk) -> None:
    order = await desk.create(*[desk.line(quantity="1", net=15)] * 3)
    await desk.round_by("line", "down")
    assert await refused(desk, order) == ["/tax"]
    assert (await desk.act(order, "confirm", reprice=True))["tax"] == 3


@pytest.mark.parametrize("consent", [{}, {"reprice": True}])
async def test_a_list_that_has_ended_prices_nothing_any_more(desk: Desk, consent: dict[str, Any]) -> None:
    """There is no price to consent to: the draft is replaced, or dropped."""
    order = await listed(desk, ordered_at="2026-06-01T00:00:00Z")
    field = ["/lines/0/price_list_id"]
    await desk.prices(desk.retail, ("1", "150"), ("10", "120.5"), valid_until=date(2026, 6, 30))
    assert await refused(desk, order, 422, **consent) == field
    await desk.prices(desk.retail, ("11", "120.5"), **ALWAYS)
    assert await refused(desk, order, 422, **consent) == field
    await desk.prices(desk.retail, ("10", "120.5"), currency="USD", **ALWAYS)
    assert await refused(desk, order, 422, **consent) == field
    await desk.prices(desk.retail, ("10", "120.5"), active=False, **ALWAYS)
    assert await refused(desk, order, 422, **consent) == field
    await desk.prices(desk.retail, ("10", "120.5"), **ALWAYS)
    deleted = catalog.PriceListDeleted(price_list_id=desk.retail, code="RETAIL")
    await desk.h.deliver(deleted, aggregate_id=desk.retail)
    assert await refused(desk, order, 422, **consent) == field


@pytest.mark.parametrize("consent", [{}, {"reprice": True}])
async def test_an_item_out_of_use_is_not_confirmed(desk: Desk, consent: dict[str, Any]) -> None:
    order = await listed(desk)
    await desk.h.deliver(catalog.ItemDeleted(item_id=desk.bolt, sku="BOLT"), aggregate_id=desk.bolt)
    assert await refused(desk, order, 422, **consent) == ["/lines/0/item_id"]


async def test_a_total_that_has_grown_too_large_is_refused(desk: Desk) -> None:
    order = await listed(desk, desk.line(quantity="10000", net=9 * 10**14))
    await desk.item(desk.bolt, "BOLT", tax="0.2")
    assert await refused(desk, order, 422, reprice=True) == ["/lines"]


async def test_an_order_that_is_confirmed_at_once_costs_what_it_does_today(desk: Desk) -> None:
    """An order that is entered late binds when it is confirmed, as a draft would."""
    code = uuid7()
    await desk.item(desk.bolt, "BOLT", code=code)
    await desk.tax_code(code, "S", (LONG_AGO, "0.16"), ("2021-01-01", "0.19"))
    order = await desk.create(confirm=True, ordered_at="2020-05-01T00:00:00Z")
    assert (order["status"], order["tax"], order["ordered_at"]) == ("confirmed", 190, "2020-05-01T00:00:00Z")
    draft = await desk.create(ordered_at="2020-05-01T00:00:00Z")
    assert (draft["status"], draft["tax"]) == ("draft", 160)


async def test_a_list_that_has_ended_confirms_nothing_at_once(desk: Desk) -> None:
    """It was valid on the day of `ordered_at`; a draft of that day is still priced by it."""
    await desk.prices(desk.retail, ("1", "150"), valid_from=None, valid_until=date(2026, 6, 30))
    line = desk.line(price_list_id=str(desk.retail))
    body = desk.body(line, ordered_at="2026-06-01T00:00:00Z")
    answer = await desk.h.client.post("/v1/orders", json={**body, "confirm": True})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/lines/0/price_list_id")
    assert (await desk.h.client.post("/v1/orders", json=body)).status_code == 201


async def test_today_is_the_companys(desk: Desk, clock: SetClock) -> None:
    await desk.h.count_days_in("Asia/Tokyo")
    clock("2026-11-01T08:30:00+09:00")
    code = uuid7()
    await desk.item(desk.bolt, "BOLT", code=code)
    await desk.tax_code(code, "S", (LONG_AGO, "0.16"), ("2026-11-01", "0.19"))
    assert (await desk.create(confirm=True, ordered_at="2026-10-20T00:00:00Z"))["tax"] == 190


async def test_consent_names_the_total_that_was_seen(desk: Desk) -> None:
    order = await listed(desk, desk.line())
    await desk.prices(desk.retail, ("1", "150"), ("10", "130"), **ALWAYS)
    changed = ["/lines/0/unit_price"]
    assert await refused(desk, order, reprice=True, expected_total=order["total"]) == ["/expected_total", *changed]
    assert await refused(desk, order, reprice=True, expected_total=2529) == ["/expected_total", *changed]
    answer = await desk.act(order, "confirm", 409, reprice=True, expected_total=2529)
    assert answer["errors"][0]["detail"] == "The total is 2530, and not 2529."
    assert answer["detail"].startswith("It costs 2530 now, 2300 and 230 of tax")
    # To have seen the new total is no consent by itself.
    assert await refused(desk, order, expected_total=2530) == changed
    confirmed = await desk.act(order, "confirm", reprice=True, expected_total=2530)
    assert (confirmed["status"], confirmed["total"]) == ("confirmed", 2530)


async def test_what_has_not_changed_is_held_to_the_expected_total_too(desk: Desk) -> None:
    order = await listed(desk)
    assert await refused(desk, order, expected_total=order["total"] + 1) == ["/expected_total"]
    assert (await desk.act(order, "confirm", expected_total=order["total"]))["status"] == "confirmed"


@pytest.mark.parametrize("confirm", [False, True])
async def test_a_new_order_is_held_to_the_expected_total(desk: Desk, confirm: bool) -> None:
    body = {**desk.body(), "confirm": confirm}
    total = (await desk.create())["total"]
    answer = await desk.h.client.post("/v1/orders", json={**body, "expected_total": total - 1})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "/expected_total")
    assert len((await desk.h.client.get("/v1/orders")).json()["items"]) == 1
    answer = await desk.h.client.post("/v1/orders", json={**body, "expected_total": total})
    assert (answer.status_code, answer.json()["total"]) == (201, total)


async def test_the_line_says_which_list_it_was_priced_by(desk: Desk) -> None:
    order = await listed(desk, desk.line())
    assert [line["price_list_id"] for line in order["lines"]] == [str(desk.retail), None]
    (created,) = await desk.asked("order.created")
    assert [line.price_list_id for line in created.lines] == [desk.retail, None]
