"""What people do to stock: layers, averages, counts, transfers, units, and what is refused."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from depot import Depot

from contracts import catalog
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock


async def test_what_is_issued_costs_what_came_in_first(depot: Depot) -> None:
    await depot.receive("3", 100)
    await depot.receive("10", 500, reason="opening")
    first = await depot.post("issues", quantity="1", reason="consumption")
    assert (first["quantity"], first["value"], first["on_hand"], first["stock_value"]) == ("-1", -33, "12", 567)
    second = await depot.post("issues", quantity="4", reason="scrap", reference="S-1")
    assert second["value"] == -(67 + 100)
    assert await depot.layers() == [("8", 400)]
    (one, two) = await depot.told("stock.issued")
    assert [(taken.quantity, taken.value) for taken in two.layers] == [(2, 67), (2, 100)]
    assert (one.value, two.value, two.currency) == (33, 167, "EUR")


async def test_the_moving_average_keeps_one_layer(depot: Depot) -> None:
    for quantity, value in (("2", 100), ("1", 101)):
        await depot.receive(quantity, value, item_id=depot.flour)
    assert await depot.layers(depot.flour) == [("3", 201)]
    out = await depot.post("issues", item_id=depot.flour, quantity="500", unit="g", reason="consumption")
    assert (out["quantity"], out["value"]) == ("-0.5", -34)
    assert await depot.layers(depot.flour) == [("2.5", 167)]
    moved = await depot.post(
        "transfers", item_id=depot.flour, from_warehouse_id=depot.north, to_warehouse_id=depot.south, quantity="1"
    )
    assert (moved["outgoing"]["value"], [one["value"] for one in moved["incoming"]]) == (-67, [67])
    await depot.receive("1", 33, item_id=depot.flour, warehouse_id=depot.south)
    assert await depot.layers(depot.flour, depot.south) == [("2", 100)]


async def test_a_transfer_carries_its_layers(depot: Depot) -> None:
    await depot.receive("3", 100)
    await depot.receive("3", 300)
    await depot.post("transfers", from_warehouse_id=depot.north, to_warehouse_id=depot.south, quantity="4")
    assert await depot.layers() == [("2", 200)]
    assert await depot.layers(warehouse=depot.south) == [("3", 100), ("1", 100)]
    (sent,), received = await depot.told("stock.transferred"), (await depot.told("stock.received"))[2:]
    assert [layer.layer_id for layer in sent.layers] == [event.layer_id for event in received]
    assert {(event.reason, event.from_warehouse_id) for event in received} == {("transfer", depot.north)}
    back = await depot.post("transfers", from_warehouse_id=depot.south, to_warehouse_id=depot.north, quantity="4")
    assert len(back["incoming"]) == 2
    assert sorted(await depot.layers()) == [("3", 100), ("3", 300)]


async def test_a_count_finds_more_or_less(depot: Depot) -> None:
    refused = await depot.post("adjustments", 422, quantity="1", reason="count", currency="EUR")
    assert refused["errors"][0]["field"] == "/value"
    refused = await depot.post("adjustments", 422, quantity="1", value=10, reason="count")
    assert refused["errors"][0]["field"] == "/currency"
    await depot.post("adjustments", quantity="2", unit_cost="50.25", currency="EUR", reason="count")
    more = await depot.post("adjustments", quantity="1", reason="count")
    less = await depot.post("adjustments", quantity="-2.5", reason="count", reference="C-7")
    assert (more["value"], less["value"], less["on_hand"], less["stock_value"]) == (51, -127, "0.5", 25)
    events = await depot.told("stock.adjusted")
    assert [(event.quantity, event.value, len(event.layers)) for event in events] == [
        (2, 101, 0),
        (1, 51, 0),
        (-2.5, -127, 2),
    ]
    await depot.post("adjustments", 422, quantity="-1", value=3, reason="count")
    await depot.post("adjustments", 422, quantity="0", reason="count")


async def test_a_shortage_is_refused_and_named(depot: Depot) -> None:
    await depot.receive("5", 500)
    await depot.post("reservations", lines=[_line(depot, "2")])
    for path, more in (
        ("issues", {"reason": "consumption", "quantity": "4"}),
        ("adjustments", {"reason": "count", "quantity": "-4"}),
        ("transfers", {"from_warehouse_id": depot.north, "to_warehouse_id": depot.south, "quantity": "4"}),
    ):
        problem = await depot.post(path, 409, **more)
        assert problem["type"] == "urn:tailrace:problem:stock-short"
        assert problem["errors"][0]["field"] == "/quantity"
        assert "4 are wanted and 3 are free; 1 are missing" in problem["detail"]
    assert await depot.figures() == ("5", "2", 500)
    assert len(await depot.told("stock.received")) == 1


async def test_units_convert_exactly_or_not_at_all(depot: Depot) -> None:
    box = await depot.receive("2", None, unit="box", unit_cost="30")
    assert (box["quantity"], box["value"]) == ("24", 60)
    event = (await depot.told("stock.received"))[0]
    assert (event.quantity, event.value) == (24, 60)
    gram = await depot.receive("1", 1, item_id=depot.flour, unit="lb3")
    assert gram["quantity"] == "3"
    too_fine = await depot.receive("0.0001", 1, 422, item_id=depot.flour, unit="g")
    assert too_fine["errors"][0]["field"] == "/quantity"
    assert (await depot.receive("1", 1, 422, item_id=depot.bolt, unit="kg"))["errors"][0]["field"] == "/unit"
    assert (await depot.receive("1", 1, 422, unit="barrel"))["errors"][0]["field"] == "/unit"


async def test_no_quantity_enters_finer_than_its_unit(depot: Depot) -> None:
    laptop, stand = uuid7(), uuid7()
    await depot.unit("each", "count", decimals=0)
    await depot.item(laptop, "LAPTOP", unit="each")
    assert (await depot.receive("1.5", 100, 422, item_id=laptop))["type"].endswith("conversion-inexact")
    await depot.receive("3", 300, item_id=laptop)
    places = {"from_warehouse_id": depot.north, "to_warehouse_id": depot.south}
    for path, told in (
        ("issues", {"quantity": "0.5", "reason": "scrap"}),
        ("adjustments", {"quantity": "-0.333333", "reason": "count"}),
        ("transfers", {"quantity": "0.000001", **places}),
    ):
        problem = await depot.post(path, 422, item_id=laptop, **told)
        assert problem["errors"][0]["field"] == "/quantity", path
    line = {"item_id": str(laptop), "warehouse_id": str(depot.north)}
    halves = [{**line, "quantity": "1"}, {**line, "quantity": "0.5"}]
    assert (await depot.post("reservations", 422, lines=halves))["errors"][0]["field"] == "/lines/1/quantity"
    assert (await depot.stock(laptop))["on_hand"] == "3"
    # An item that is known before its unit: how fine it may be is not known yet.
    await depot.item(stand, "STAND", unit="stand")
    assert (await depot.receive("1", 1, 409, item_id=stand))["errors"][0]["field"] == "/item_id"


async def test_an_id_that_is_old_and_unknown_is_not_worth_another_try(depot: Depot) -> None:
    old, no_time = "01890a5d-ac96-774b-bcce-b302099a8057", "b9a4c0de-7b1f-4c53-9d0a-1f2e3d4c5b6a"
    for id in (old, no_time):
        problem = await depot.receive("1", 1, 422, item_id=id)
        assert (problem["type"], problem["errors"][0]["field"]) == ("urn:tailrace:problem:invalid", "/item_id")


async def test_stock_stays_in_one_currency(depot: Depot) -> None:
    await depot.receive("1", 100)
    problem = await depot.receive("1", 100, 409, currency="JPY")
    assert (problem["type"], problem["errors"][0]["field"]) == ("urn:tailrace:problem:currency-differs", "/currency")
    await depot.post("adjustments", 409, quantity="-1", currency="JPY", reason="count")
    await depot.receive("1", 100, warehouse_id=depot.south, currency="JPY")
    places = {"from_warehouse_id": depot.north, "to_warehouse_id": depot.south}
    problem = await depot.post("transfers", 409, quantity="1", **places)
    assert problem["errors"][0]["field"] == "/to_warehouse_id"
    await depot.post("issues", quantity="1", reason="scrap")
    await depot.receive("1", 100, 409, currency="JPY")
    assert await depot.figures() == ("0", "0", 0)


async def test_what_the_catalog_has_not_told_is_not_known_yet(depot: Depot) -> None:
    for field in ("item_id", "warehouse_id"):
        problem = await depot.receive("1", 1, 409, **{field: uuid7()})
        assert (problem["type"], problem["errors"][0]["field"]) == ("urn:tailrace:problem:not-yet-known", f"/{field}")
    assert (await depot.receive("1", 1, 422, item_id=depot.hour))["errors"][0]["field"] == "/item_id"


async def test_what_is_out_of_use_may_leave_and_not_come_in(depot: Depot) -> None:
    await depot.receive("2", 20)
    await depot.h.deliver(catalog.ItemDeleted(item_id=depot.bolt, sku="BOLT"), aggregate_id=depot.bolt)
    await depot.receive("2", 20, 422)
    promised = await depot.post("reservations", 422, lines=[_line(depot, "1")])
    assert promised["errors"][0]["field"] == "/lines/0/item_id"
    await depot.post("issues", quantity="2", reason="scrap")


async def test_stock_in_a_warehouse_that_is_gone_stays_visible_and_can_be_moved(depot: Depot) -> None:
    await depot.receive("2", 20)
    await depot.h.deliver(catalog.WarehouseDeleted(warehouse_id=depot.north, code="N"), aggregate_id=depot.north)
    await depot.receive("2", 20, 422)
    promised = await depot.post("reservations", 422, lines=[_line(depot, "1")])
    assert promised["errors"][0]["field"] == "/lines/0/warehouse_id"
    assert [row["on_hand"] for row in (await depot.get("stock"))["items"]] == ["2"]
    places = {"from_warehouse_id": depot.north, "to_warehouse_id": depot.south}
    await depot.post("transfers", quantity="1", **places)
    back = catalog.WarehouseRestored(warehouse_id=depot.north, code="N", name="N")
    await depot.h.deliver(back, aggregate_id=depot.north)
    await depot.receive("2", 20)


async def test_malformed_movements_change_nothing(depot: Depot) -> None:
    later = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert (await depot.receive("1", 1, 422, effective_at=later))["errors"][0]["field"] == "/effective_at"
    for wrong in (
        {"quantity": "0"},
        {"quantity": "1e-7"},
        {"value": -1},
        {"unit_cost": "1"},
        # XXX is ISO 4217's code for "no currency": well-formed, and no money.
        {"currency": "XXX"},
        {"tenant_id": str(uuid7())},
        {"effective_at": "2026-01-02T00:00:00"},
        {"effective_at": "0001-01-01T00:00:00+14:00"},
        {"effective_at": "9999-12-31T23:59:59-14:00"},
    ):
        told = {"quantity": "1", "value": 1, "currency": "EUR", "reason": "purchase", **wrong}
        await depot.post("receipts", 422, **told)
    await depot.receive("999999999999", 1)
    refused = await depot.receive("1", 1, 422)
    assert (refused["type"].rpartition(":")[2], refused["errors"][0]["field"]) == ("stock-too-large", "/quantity")
    dear = {"quantity": "999999999999", "unit_cost": "1001", "currency": "EUR", "reason": "purchase"}
    assert (await depot.post("receipts", 422, **dear))["errors"][0]["field"] == "/unit_cost"
    assert len(await depot.told("stock.received")) == 1


async def test_a_stale_version_is_refused(depot: Depot) -> None:
    await depot.receive("1", 100)
    path = f"/v1/inventory/stock/{depot.bolt}/{depot.north}"
    seen = (await depot.h.client.get(path)).headers["etag"]
    await depot.receive("1", 100)
    body = {"item_id": str(depot.bolt), "warehouse_id": str(depot.north), "quantity": "-1", "reason": "count"}
    stale = await depot.h.client.post("/v1/inventory/adjustments", json=body, headers={"If-Match": seen})
    assert stale.status_code == 412
    now = (await depot.h.client.get(path)).headers["etag"]
    answer = await depot.h.client.post("/v1/inventory/adjustments", json=body, headers={"If-Match": now})
    assert answer.status_code == 201
    assert (await depot.h.client_as(scopes="inventory:read").get(path)).headers["etag"].startswith('"3-')
    reader = await depot.h.client_as(scopes="inventory:read").post("/v1/inventory/adjustments", json=body)
    assert reader.status_code == 403


async def test_lists_filter_and_nobody_sees_another_tenants(depot: Depot, clock: SetClock) -> None:
    clock("2026-02-15T12:00:00Z")
    await depot.receive("5", 500, effective_at="2026-01-02T09:00:00+09:00")
    await depot.receive("5", 500, warehouse_id=depot.south)
    await depot.post("issues", quantity="1", reason="scrap")
    assert len((await depot.get("stock"))["items"]) == 2
    (level,) = (await depot.get("stock", warehouse_id=depot.north))["items"]
    assert (level["on_hand"], level["available"], level["value"], level["version"]) == ("4", "4", 400, 2)
    (old,) = (await depot.get("movements", effective_until="2026-02-01T00:00:00Z"))["items"]
    assert (old["kind"], old["effective_at"]) == ("received", "2026-01-02T00:00:00Z")
    assert [m["reason"] for m in (await depot.get("movements", kind="issued"))["items"]] == ["scrap"]
    assert len((await depot.get("movements", warehouse_id=depot.north, sort="-effective_at"))["items"]) == 2
    other = depot.h.client_as(tenant=depot.h.other_tenant)
    assert (await other.get("/v1/inventory/movements")).json()["items"] == []
    assert (await other.get(f"/v1/inventory/stock/{depot.bolt}/{depot.north}")).status_code == 404


async def test_a_long_history_replays_to_what_is_shown(depot: Depot) -> None:
    """More events than a snapshot's distance, so that live state comes from a snapshot and the replay does not."""
    for number in range(30):
        await depot.receive("3", 100 + number)
        await depot.post("issues", quantity="2", reason="consumption")
    snapshots = await depot.h.admin.fetchval("SELECT seq FROM stream_snapshot")
    assert snapshots >= 50
    proof = await depot.get(f"stock/{depot.bolt}/{depot.north}/replay")
    assert proof["equal"] is True
    assert (proof["events"], proof["replayed"]) == (60, proof["shown"])
    stock = await depot.stock()
    assert (stock["on_hand"], len(stock["layers"])) == ("30", 10)
    assert stock["value"] == sum(layer["value"] for layer in stock["layers"]) == proof["shown"]["value"]
    moved = (await depot.get("movements", limit=200))["items"]
    assert (sum(int(m["quantity"]) for m in moved), sum(m["value"] for m in moved)) == (30, stock["value"])
    await depot.h.admin.execute("UPDATE stock_level SET on_hand = on_hand + 1")
    assert (await depot.get(f"stock/{depot.bolt}/{depot.north}/replay"))["equal"] is False


def _line(depot: Depot, quantity: str, item: UUID | None = None) -> dict[str, str]:
    return {"item_id": str(item or depot.bolt), "warehouse_id": str(depot.north), "quantity": quantity}
