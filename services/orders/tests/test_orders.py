"""Orders over HTTP: who may do what in which state, exact amounts, numbers, lists, and refusals that name the field."""

import asyncio
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from contracts import catalog
from contracts import orders as events
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock

from .conftest import Desk


async def refused(desk: Desk, *lines: dict[str, Any], code: int = 422, **given: Any) -> str:
    """The field that a refused order's problem names; nothing may have been recorded."""
    answer = await desk.h.client.post("/v1/orders", json=desk.body(*lines, **given))
    assert answer.status_code == code, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert await desk.h.published() == []
    return str(answer.json()["errors"][0]["field"])


async def test_a_draft_is_created_read_and_published(desk: Desk) -> None:
    ship_to = {"lines": ["1 Mill Lane"], "city": "Leeds", "country": "GB"}
    order = await desk.create(ordered_at="2026-03-01T09:00:00+09:00", ship_to=ship_to)
    assert (order["number"], order["status"], order["version"]) == ("SO-000001", "draft", 1)
    assert order["ordered_at"] == "2026-03-01T00:00:00Z"
    assert (order["allocation"], order["shipment"], order["ship_to"]["city"]) == ("none", "none", "Leeds")
    assert await desk.read(order) == order
    (created,) = await desk.h.published()
    assert (created.type, created.aggregate_id, created.sequence) == ("order.created", UUID(order["id"]), 1)
    assert isinstance(created.event, events.OrderCreated)
    assert (created.event.net, created.event.tax, created.event.lines[0].sku) == (1000, 100, "BOLT")
    assert await desk.states(order) == []


async def test_created_and_confirmed_in_one_step(desk: Desk, clock: SetClock) -> None:
    """Its fulfilment begins in the same transaction: the third event asks for stock."""
    clock("2026-12-01T12:00:00Z")
    order = await desk.create(confirm=True, requested_date="2026-12-24")
    assert (order["status"], order["version"], order["allocating"]) == ("confirmed", 3, True)
    confirmed = (await desk.asked("order.confirmed"))[0]
    assert (confirmed.number, str(confirmed.requested_date)) == (order["number"], "2026-12-24")


@pytest.mark.parametrize(
    ("currency", "line", "unit_price", "net", "tax"),
    [
        ("EUR", {"quantity": "3", "unit_price": "33.5"}, "33.5", 101, 10),
        ("EUR", {"quantity": "2.5", "unit_price": "1"}, "1", 3, 0),
        ("EUR", {"quantity": "3.5", "unit_price": "1"}, "1", 4, 0),
        ("EUR", {"quantity": "1", "unit_price": "45"}, "45", 45, 5),
        ("EUR", {"quantity": "1", "unit_price": "55"}, "55", 55, 6),
        ("JPY", {"quantity": "7", "unit_price": "1250"}, "1250", 8750, 875),
        ("JPY", {"quantity": "3", "net": 1000}, "333.333333", 1000, 100),
        ("USD", {"quantity": "5", "net": 0}, "0", 0, 0),
        ("EUR", {"quantity": "2", "unit": "box", "unit_price": "1200"}, "100", 2400, 240),
        ("EUR", {"quantity": "2", "unit": "box", "unit_price": "10"}, "0.833333", 20, 2),
        ("EUR", {"quantity": "999999999999.999999", "unit_price": "0.0005"}, "0.0005", 500_000_000, 50_000_000),
    ],
)
async def test_amounts_are_rounded_once_half_up(
    desk: Desk, currency: str, line: dict[str, Any], unit_price: str, net: int, tax: int
) -> None:
    order = await desk.create(desk.line(**line), currency=currency)
    shown = order["lines"][0]
    assert (shown["unit_price"], shown["net"], shown["tax"]) == (unit_price, net, tax)
    assert (order["net"], order["tax"], order["total"]) == (net, tax, net + tax)


async def test_units_convert_exactly_or_not_at_all(desk: Desk) -> None:
    flour = str(desk.flour)
    order = await desk.create(desk.line(item_id=flour, quantity="1500", unit="g", unit_price="0.1"))
    assert (order["lines"][0]["quantity"], order["lines"][0]["unit"], order["net"]) == ("1.5", "kg", 150)
    order = await desk.create(desk.line(item_id=flour, quantity="1", unit="lb3"))
    assert order["lines"][0]["quantity"] == "3"


async def test_a_unit_without_an_exact_value_is_refused(desk: Desk) -> None:
    third = uuid7()
    await desk.item(third, "THIRD", unit="lb3", tax="0")
    assert await refused(desk, desk.line(item_id=str(third), unit="kg")) == "/lines/0/quantity"
    assert await refused(desk, desk.line(item_id=str(desk.flour), unit="m")) == "/lines/0/unit"
    assert await refused(desk, desk.line(unit="barrel")) == "/lines/0/unit"
    order = await desk.create(desk.line(item_id=str(third), unit="kg", quantity="3"))
    assert order["lines"][0]["quantity"] == "1"


async def test_no_line_is_finer_than_its_unit(desk: Desk) -> None:
    laptop, stand = uuid7(), uuid7()
    await desk.unit("each", "count", decimals=0)
    await desk.item(laptop, "LAPTOP", unit="each", tax="0", box="12")
    for given in ({"quantity": "0.333333"}, {"quantity": "0.5", "unit": "each"}, {"quantity": "0.1", "unit": "box"}):
        assert await refused(desk, desk.line(), desk.line(item_id=str(laptop), **given)) == "/lines/1/quantity"
    # An item that is known before its unit: how fine a quantity may be is not known yet.
    await desk.item(stand, "STAND", unit="stand", tax="0")
    assert await refused(desk, desk.line(item_id=str(stand)), code=409) == "/lines/0/item_id"
    order = await desk.create(desk.line(item_id=str(laptop), quantity="0.5", unit="box"))
    assert order["lines"][0]["quantity"] == "6"


async def test_an_id_that_is_old_and_unknown_is_not_worth_another_try(desk: Desk) -> None:
    old = "01890a5d-ac96-774b-bcce-b302099a8057"
    for field in ("item_id", "warehouse_id"):
        assert await refused(desk, desk.line(**{field: old})) == f"/lines/0/{field}"
        assert await refused(desk, desk.line(**{field: str(uuid7())}), code=409) == f"/lines/0/{field}"


@pytest.mark.parametrize(("quantity", "price"), [("1", "150"), ("9.999999", "150"), ("10", "120.5"), ("1000", "120.5")])
async def test_a_price_list_prices_by_quantity(desk: Desk, clock: SetClock, quantity: str, price: str) -> None:
    clock("2027-01-01T12:00:00Z")
    line = desk.line(quantity=quantity, price_list_id=str(desk.retail))
    order = await desk.create(line, ordered_at="2026-12-31T23:59:59Z")
    assert order["lines"][0]["unit_price"] == price


async def test_a_price_list_counts_breaks_in_base_units_and_as_it_now_is(desk: Desk) -> None:
    line = desk.line(quantity="1", unit="box", price_list_id=str(desk.retail))
    assert (await desk.create(line, ordered_at="2026-06-01T00:00:00Z"))["net"] == 1446
    await desk.prices(desk.retail, ("12", "99"))
    assert (await desk.create(line, ordered_at="2026-06-01T00:00:00Z"))["net"] == 1188


async def test_a_price_list_that_does_not_apply_is_refused(desk: Desk, clock: SetClock) -> None:
    clock("2027-01-01T12:00:00Z")
    listed, field = {"price_list_id": str(desk.retail)}, "/lines/1/price_list_id"
    now = "2026-06-01T00:00:00Z"
    assert await refused(desk, desk.line(), desk.line(**listed), ordered_at="2027-01-01T00:00:00Z") == field
    assert await refused(desk, desk.line(), desk.line(**listed), ordered_at="2025-12-31T23:59:59Z") == field
    assert await refused(desk, desk.line(), desk.line(**listed), ordered_at=now, currency="JPY") == field
    assert await refused(desk, desk.line(), desk.line(**listed, quantity="0.5"), ordered_at=now) == field
    flour = desk.line(**listed, item_id=str(desk.flour))
    assert await refused(desk, desk.line(), flour, ordered_at=now) == field
    deleted = catalog.PriceListDeleted(price_list_id=desk.retail, code="RETAIL")
    await desk.h.deliver(deleted, aggregate_id=desk.retail)
    assert await refused(desk, desk.line(), desk.line(**listed), ordered_at=now) == field


@pytest.mark.parametrize(
    ("line", "field"),
    [
        ({"quantity": "0"}, "/lines/1/quantity"),
        ({"quantity": "-1"}, "/lines/1/quantity"),
        ({"quantity": "0.0000001"}, "/lines/1/quantity"),
        ({"quantity": "NaN"}, "/lines/1/quantity"),
        ({"item_id": "bolt"}, "/lines/1/item_id"),
        ({"unit_price": "-1"}, "/lines/1/unit_price"),
        ({"unit_price": "1", "net": 5}, "/lines/1/unit_price"),
        ({"net": -5}, "/lines/1/net"),
        ({"net": 10.5}, "/lines/1/net"),
        ({"unit": "k\x00g"}, "/lines/1/unit"),
        ({"net": 10**15, "quantity": "0.000001"}, "/lines/1/net"),
        ({"unit_price": "999999999999", "quantity": "999999999999"}, "/lines/1/unit_price"),
        ({"sku": "BOLT"}, "/lines/1/sku"),
    ],
)
async def test_a_bad_line_is_named(desk: Desk, line: dict[str, Any], field: str) -> None:
    assert await refused(desk, desk.line(), desk.line(**line)) == field


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"lines": []}, "/lines"),
        # XXX is ISO 4217's code for "no currency": well-formed, and no money.
        ({"currency": "XXX"}, "/currency"),
        ({"customer_reference": " "}, "/customer_reference"),
        ({"customer_name": "A\x00B"}, "/customer_name"),
        ({"ordered_at": "2026-01-01T00:00:00"}, "/ordered_at"),
        ({"ordered_at": "0001-01-01T00:00:00+14:00"}, "/ordered_at"),
        ({"ship_to": {"street": "x"}}, "/ship_to/street"),
        ({"tenant_id": str(uuid7())}, "/tenant_id"),
        ({"number": "SO-9"}, "/number"),
        ({"status": "confirmed"}, "/status"),
    ],
)
async def test_a_bad_order_is_named(desk: Desk, given: dict[str, Any], field: str) -> None:
    assert await refused(desk, **given) == field


async def test_too_many_lines_and_too_large_a_total_are_refused(desk: Desk) -> None:
    assert await refused(desk, *[desk.line()] * 501) == "/lines"
    assert await refused(desk, *[desk.line(net=10**15, quantity="10000")] * 2) == "/lines"


async def test_what_is_unknown_may_come_and_what_is_gone_may_not(desk: Desk) -> None:
    for field in ("item_id", "warehouse_id", "price_list_id"):
        answer = await desk.h.client.post("/v1/orders", json=desk.body(desk.line(**{field: str(uuid7())})))
        assert (answer.status_code, answer.headers["retry-after"]) == (409, "1")
        assert answer.json()["type"] == "urn:tailrace:problem:not-yet-known"
        assert answer.json()["errors"][0]["field"] == f"/lines/0/{field}"
    await desk.h.deliver(catalog.ItemDeleted(item_id=desk.bolt, sku="BOLT"), aggregate_id=desk.bolt)
    assert await refused(desk) == "/lines/0/item_id"
    await desk.h.deliver(catalog.WarehouseDeleted(warehouse_id=desk.south, code="S"), aggregate_id=desk.south)
    gone = desk.line(item_id=str(desk.flour), warehouse_id=str(desk.south))
    assert await refused(desk, gone) == "/lines/0/warehouse_id"
    # What is restored is sold again.
    back = catalog.WarehouseRestored(warehouse_id=desk.south, code="S", name="South")
    await desk.h.deliver(back, aggregate_id=desk.south)
    await desk.create(gone)


async def test_what_went_out_of_use_since_it_was_drafted_is_not_confirmed(desk: Desk) -> None:
    item, place = (
        await desk.create(),
        await desk.create(desk.line(item_id=str(desk.flour), warehouse_id=str(desk.south))),
    )
    await desk.h.deliver(catalog.ItemDeleted(item_id=desk.bolt, sku="BOLT"), aggregate_id=desk.bolt)
    gone = catalog.WarehouseUpdated(warehouse_id=desk.south, code="S", name="South", active=False)
    await desk.h.deliver(gone, aggregate_id=desk.south)
    for order, field in ((item, "item_id"), (place, "warehouse_id")):
        answer = await desk.h.client.post(f"/v1/orders/{order['id']}/confirm")
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, f"/lines/0/{field}")
        assert (await desk.read(order))["status"] == "draft"
    assert await desk.asked("order.confirmed") == []


async def test_a_draft_is_replaced_lines_and_all(desk: Desk) -> None:
    order = await desk.create(desk.line(), desk.line(quantity="1"), ordered_at="2026-01-05T00:00:00Z")
    body = desk.body(desk.line(quantity="7", unit_price="3"), customer_reference="C-2")
    answer = await desk.h.client.put(f"/v1/orders/{order['id']}", json=body, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"2"')
    changed = answer.json()
    assert (changed["customer_reference"], changed["net"], len(changed["lines"])) == ("C-2", 21, 1)
    assert (changed["ordered_at"], changed["number"]) == ("2026-01-05T00:00:00Z", order["number"])
    assert await desk.read(order) == changed
    assert [line.quantity for line in (await desk.asked("order.changed"))[0].lines] == [7]


@pytest.mark.parametrize("action", ["confirm", "hold", "resume", "cancel", "allocate"])
async def test_a_stale_version_is_refused(desk: Desk, action: str) -> None:
    order = await desk.create()
    body = {"reason": "x"} if action in {"hold", "cancel"} else None
    stale = await desk.h.client.post(f"/v1/orders/{order['id']}/{action}", json=body, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    assert (await desk.read(order))["version"] == 1


async def test_states_allow_what_they_should(desk: Desk) -> None:
    """Every action in every state but its own."""
    put = desk.body()
    refusals = {
        "draft": {"hold": "not-confirmed", "resume": "not-on-hold", "allocate": "not-confirmed"},
        "confirmed": {"confirm": "not-a-draft", "resume": "not-on-hold", "delete": "not-a-draft", "put": "not-a-draft"},
        "on_hold": {
            "confirm": "not-a-draft",
            "hold": "not-confirmed",
            "allocate": "not-confirmed",
            "delete": "not-a-draft",
        },
        "cancelled": {
            "confirm": "not-a-draft",
            "hold": "not-confirmed",
            "resume": "not-on-hold",
            "cancel": "cancelled",
            "allocate": "not-confirmed",
            "delete": "not-a-draft",
            "put": "not-a-draft",
        },
    }
    order = await desk.create()
    path = f"/v1/orders/{order['id']}"
    steps = {"draft": None, "confirmed": "confirm", "on_hold": "hold", "cancelled": "cancel"}
    for state, step in steps.items():
        if step:
            said: dict[str, Any] = {"reason": "x"} if step in {"hold", "cancel"} else {}
            await desk.act(order, step, **said)
        before = await desk.read(order)
        assert before["status"] == state
        for action, slug in refusals[state].items():
            if action in {"put", "delete"}:
                body = put if action == "put" else None
                answer = await desk.h.client.request(action, path, json=body)
            else:
                reason = {"reason": "x"} if action in {"hold", "cancel"} else None
                answer = await desk.h.client.post(f"{path}/{action}", json=reason)
            assert answer.status_code == 409, (state, action)
            assert answer.json()["type"] == f"urn:tailrace:problem:order-{slug}", (state, action)
        assert await desk.read(order) == before


async def test_a_deleted_draft_is_a_cancelled_one(desk: Desk) -> None:
    order = await desk.create()
    assert (await desk.h.client.delete(f"/v1/orders/{order['id']}")).status_code == 204
    assert (await desk.read(order))["status"] == "cancelled"
    assert [published.type for published in await desk.h.published()] == ["order.created", "order.cancelled"]
    await desk.h.pump()
    assert await desk.states(order) == []


async def test_numbers_are_unique_under_concurrency_and_count_by_tenant(desk: Desk) -> None:
    answers = await asyncio.gather(*(desk.h.client.post("/v1/orders", json=desk.body()) for _ in range(20)))
    assert {answer.status_code for answer in answers} == {201}
    assert sorted(answer.json()["number"] for answer in answers) == [f"SO-{n:06d}" for n in range(1, 21)]
    unit = catalog.UnitCreated(unit_id=uuid7(), code="pcs", name="P", dimension="count", factor=Decimal(1), decimals=0)
    await desk.h.deliver(unit, aggregate_id=unit.unit_id, tenant=desk.h.other_tenant)
    for kind, id in ((catalog.ItemCreated, desk.bolt), (catalog.WarehouseCreated, desk.north)):
        description = {
            "sku": "B",
            "name": "B",
            "unit": "pcs",
            "tax_rate": "0",
            "item_id": id,
            "warehouse_id": id,
            "code": "N",
        }
        await desk.h.deliver(kind.model_validate(description), aggregate_id=uuid7(), tenant=desk.h.other_tenant)
    other = await desk.h.client_as(tenant=desk.h.other_tenant).post("/v1/orders", json=desk.body())
    assert other.json()["number"] == "SO-000001"


async def test_one_key_makes_one_order(desk: Desk) -> None:
    headers = {"Idempotency-Key": "row-1"}
    first = await desk.h.client.post("/v1/orders", json=desk.body(), headers=headers)
    again = await desk.h.client.post("/v1/orders", json=desk.body(), headers=headers)
    assert (again.status_code, again.json(), again.headers["idempotency-replayed"]) == (201, first.json(), "true")
    assert again.headers["location"] == f"/v1/orders/{first.json()['id']}"
    other = await desk.h.client.post("/v1/orders", json=desk.body(currency="USD"), headers=headers)
    assert other.status_code == 422
    assert len(await desk.h.published()) == 1


async def test_lists_filter_sort_and_page(desk: Desk) -> None:
    for day, reference in ((3, "C-1"), (1, "C-2"), (2, "C-1")):
        await desk.create(customer_reference=reference, ordered_at=f"2026-05-0{day}T00:00:00Z", confirm=day == 2)

    async def numbers(**params: Any) -> list[str]:
        answer = await desk.h.client.get("/v1/orders", params=params)
        assert answer.status_code == 200, answer.text
        return [order["number"][-1] for order in answer.json()["items"]]

    assert await numbers() == ["1", "2", "3"]
    assert await numbers(sort="-number") == ["3", "2", "1"]
    assert await numbers(sort="ordered_at") == ["2", "3", "1"]
    assert await numbers(customer_reference="C-1", sort="-ordered_at") == ["1", "3"]
    assert await numbers(status=["confirmed", "on_hold"]) == ["3"]
    for written in ("SO-000002", "so-000002", "ＳＯ－００0002"):
        assert await numbers(number=written) == ["2"]
    assert await numbers(allocation="full") == []
    assert await numbers(shipment="none", ordered_from="2026-05-02T00:00:00Z") == ["1", "3"]
    assert await numbers(ordered_until="2026-05-02T00:00:00Z") == ["2"]
    page = (await desk.h.client.get("/v1/orders", params={"limit": 2, "sort": "-ordered_at"})).json()
    assert "lines" not in page["items"][0]
    rest = {"limit": 2, "sort": "-ordered_at", "cursor": page["next_cursor"]}
    assert await numbers(**rest) == ["2"]
    for params, field in (
        ({"status": "lost"}, "status.0"),
        ({"ordered_from": "yesterday"}, "ordered_from"),
        ({"number": "a\x00"}, "number"),
        ({"sort": "net"}, "sort"),
    ):
        answer = await desk.h.client.get("/v1/orders", params=params)
        assert answer.status_code in {400, 422}
        assert answer.json()["errors"][0]["field"] == field


async def test_others_see_and_touch_nothing(desk: Desk) -> None:
    order = await desk.create()
    stranger = desk.h.client_as(tenant=desk.h.other_tenant)
    path = f"/v1/orders/{order['id']}"
    assert (await stranger.get(path)).status_code == 404
    assert (await stranger.get(f"{path}/history")).status_code == 404
    assert (await stranger.post(f"{path}/confirm")).status_code == 404
    assert (await stranger.get("/v1/orders")).json()["items"] == []
    reader = desk.h.client_as(scopes="orders:read")
    assert (await reader.get(path)).status_code == 200
    assert (await reader.post(f"{path}/confirm")).status_code == 403
    assert (await reader.post("/v1/orders", json=desk.body())).status_code == 403
