"""GraphQL on the running fleet: the same as REST says, within what the caller may see; bombs refused; changes that leave none out."""

import asyncio
from contextlib import aclosing
from typing import Any

import pytest
from company import Company
from graphql_client import WITHIN, data, graphql, messages, problem

from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually

ORDER = """query($id: ID!) {order(id: $id) {
  id number status allocation total currency
  customer {id name}
  lines {quantity item {sku name} warehouse {code}}
  history {state}
  shipments {items {id number status}}
  invoices {items {id number}}
  journals {items {id rule}}
}}"""
CHANGES = "subscription($id: ID!) {orderStatusChanged(orderId: $id) {sequence type order {status version}}}"
BOMBS = {
    "depth": "{order(id: 1) " + "{customer " * 30 + "{id}" + "}" * 31,
    "alias": "{" + " ".join(f"a{n}: orders {{nextCursor}}" for n in range(40)) + "}",
    "cost": "{" + " ".join(f"a{n}: orders(limit: 200) {{items {{id number status total}}}}" for n in range(28)) + "}",
}


@pytest.mark.parametrize("bomb", BOMBS)
async def test_a_bomb_is_refused(gateway: Gateway, bomb: str) -> None:
    member = await gateway.new_tenant()
    said = await graphql(member, BOMBS[bomb])
    assert "data" not in said
    assert (problem(said)["status"], problem(said)["type"]) == (422, "urn:tailrace:problem:query-too-large")
    assert {"depth": "levels deep", "alias": "aliases", "cost": "fields shown"}[bomb] in problem(said)["detail"]


async def test_an_order_is_what_its_services_say(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    customer = await member.post("/v1/customers", {"name": "Ada Works", "currency": "EUR"})
    order = await company.order(3, customer_id=customer["id"])
    shown = await eventually(
        lambda: data(member, ORDER, id=order["id"]),
        lambda said: said["order"]["allocation"] == "full" and said["order"]["shipments"]["items"],
        what="the order's shipment in its view",
    )
    view, rest = shown["order"], await member.get(f"/v1/orders/{order['id']}")
    assert {name: view[name] for name in ("id", "number", "status", "total", "currency")} == {
        name: rest[name] for name in ("id", "number", "status", "total", "currency")
    }
    assert view["customer"] == {"id": customer["id"], "name": "Ada Works"}
    assert view["lines"] == [
        {
            "quantity": rest["lines"][0]["quantity"],
            "item": {"sku": "PLATE", "name": "Plate"},
            "warehouse": {"code": "MAIN"},
        }
    ]
    shipments = await member.get("/v1/shipments", order_id=order["id"])
    assert [each["id"] for each in view["shipments"]["items"]] == [each["id"] for each in shipments["items"]]
    # What the designs name.
    seeds = await data(
        member,
        """query($warehouse: ID!, $customer: ID!) {
          inventoryLevels(warehouseId: $warehouse) {itemId onHand item {sku}}
          customerOrders(customerId: $customer, limit: 5) {id customer {name}}
        }""",
        warehouse=company.warehouse_id,
        customer=customer["id"],
    )
    stock = await company.stock()
    assert seeds["inventoryLevels"] == [
        {"itemId": company.item_id, "onHand": stock["on_hand"], "item": {"sku": "PLATE"}}
    ]
    assert seeds["customerOrders"] == [{"id": order["id"], "customer": {"name": "Ada Works"}}]
    await _nobody_else_sees(gateway, member, order["id"])


async def _nobody_else_sees(gateway: Gateway, member: Member, order_id: str) -> None:
    stranger = await gateway.new_tenant()
    said = await graphql(stranger, ORDER, id=order_id)
    mine = (await stranger.send("GET", f"/v1/orders/{order_id}")).json()
    assert (said["data"]["order"], problem(said)["type"]) == (None, mine["type"])
    assert (await data(stranger, "{orders {items {id}}}"))["orders"]["items"] == []
    async with asyncio.timeout(WITHIN), aclosing(messages(stranger, CHANGES, id=order_id)) as changes:
        refused = [each async for each in changes]
    assert [problem(each)["status"] for each in refused] == [404]
    # A person without the books sees the rest.
    clerk, _ = await _colleague(gateway, member, "orders:read", "shipping:read")
    said = await eventually(
        lambda: graphql(clerk, ORDER, id=order_id),
        lambda said: {each["extensions"]["problem"]["status"] for each in said["errors"]} == {403},
        what="every refusal one of rights",
    )
    view = said["data"]["order"]
    assert (view["id"], view["customer"], view["invoices"], view["journals"]) == (order_id, None, None, None)
    assert view["shipments"]["items"]


async def test_writes_have_one_effect_for_a_key(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    line = {"itemId": company.item_id, "warehouseId": company.warehouse_id, "quantity": "2", "unitPrice": "1000"}
    new = {"customerReference": "C-1", "customerName": "Somebody", "currency": "EUR", "lines": [line]}
    create = 'mutation($new: CreateOrderInput!) {createOrder(idempotencyKey: "new", input: $new) {id version status}}'
    made = (await data(member, create, new=new))["createOrder"]
    assert made["status"] == "draft"
    assert (await data(member, create, new=new))["createOrder"] == made
    assert len((await data(member, "{orders {items {id}}}"))["orders"]["items"]) == 1
    confirm = (
        'mutation($id: ID!, $v: BigInt) {confirmOrder(id: $id, idempotencyKey: "yes", ifMatch: $v, input: {}) {status}}'
    )
    said = await graphql(member, confirm, id=made["id"], v=99)
    assert (said["data"], problem(said)["status"]) == ({"confirmOrder": None}, 412)
    said = await data(member, confirm, id=made["id"], v=made["version"])
    assert said["confirmOrder"]["status"] in ("confirmed", "credit_hold")
    adjust = 'mutation($new: UpdateInventoryInput!) {updateInventory(idempotencyKey: "count", input: $new) {id}}'
    body = {"itemId": company.item_id, "warehouseId": company.warehouse_id, "quantity": "-1", "reason": "broken"}
    await data(member, adjust, new=body)
    said = await graphql(member, adjust.replace("count", "again"), new={**body, "reason": ""})
    assert problem(said)["status"] == 422
    assert problem(said)["errors"][0]["field"] == "/reason"
    cancel = 'mutation($id: ID!) {cancelOrder(id: $id, idempotencyKey: "no", input: {reason: "A mistake"}) {status}}'
    said = await eventually(
        lambda: graphql(member, cancel, id=made["id"]), lambda said: "errors" not in said, what="the order cancelled"
    )
    assert said["data"]["cancelOrder"]["status"] == "cancelled"


async def test_who_sees_their_own_orders_hears_of_these_and_no_longer_than_they_are(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    seller, seller_id = await _colleague(gateway, company.member, "orders:read:own")
    others = await company.order(1, confirm=False)
    own = await company.order(1, confirm=False, owner_id=seller_id)
    async with asyncio.timeout(WITHIN), aclosing(messages(seller, CHANGES, id=others["id"])) as changes:
        assert [problem(each)["status"] async for each in changes] == [404]
    async with asyncio.timeout(WITHIN), aclosing(messages(seller, CHANGES, id=own["id"])) as changes:
        terms = company.body(2)
        del terms["confirm"]
        for owner_id in (seller_id, others["owner_id"]):
            heard = (await anext(changes))["data"]["orderStatusChanged"]
            await company.member.put(f"/v1/orders/{own['id']}", {**terms, "owner_id": owner_id})
        assert heard["type"] == "order.changed"
        # It was given away: nothing is told of that change, as REST shows nothing.
        assert [problem(each)["status"] async for each in changes] == [404]


async def test_what_managers_ask_is_what_rest_says_within_what_each_may_see(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    seller, seller_id = await _colleague(gateway, member, "kpis:read:own", "reports:read:own", "notifications:read")
    marks = list[str]()
    for owner in ({}, {"owner_id": seller_id}):
        await member.post("/v1/orders", company.body(1, **owner), marks=marks)
    kpi = {"name": "Orders", "measure": "orders_confirmed", "period": "month", "target": "5", "near": "4"}
    whole = await member.post("/v1/kpis", {**kpi, "code": "ALL"}, marks=marks)
    own_kpi = {**kpi, "code": "OWN", "subject": "person", "subject_id": seller_id}
    own = await member.post("/v1/kpis", own_kpi, marks=marks)
    tile = {"key": "placed", "title": "Confirmed", "measure": "orders_confirmed", "periods": 1}
    board = await member.post("/v1/analytics/dashboards", {"code": "D", "name": "D", "tiles": [tile]}, marks=marks)
    asked = """query($all: ID!, $own: ID!, $board: ID!) {
      kpis(sort: "code") {items {code}}
      own: scorecard(id: $own) {scores {value records}}
      all: scorecard(id: $all) {scores {value}}
      kpiRecords(id: $own, limit: 5) {items {measure count} freshness {setAside}}
      kpiResults(id: $own) {items {kpi {code}}}
      dashboardFigures(id: $board) {tiles {parts {value}}}
      funnel(start: order) {stages {stage count}}
      unreadNotifications {count}
    }"""
    ids = {"all": whole["id"], "own": own["id"], "board": board["id"]}
    await member.get("/v1/reports/sales-summary", having_seen=", ".join(marks))
    await member.post(f"/v1/kpis/{own['id']}/measure")
    said = await data(member, asked, **ids)
    assert {one["kpi"]["code"] for one in said["kpiResults"]["items"]} == {"OWN"}
    card = await member.get(f"/v1/kpis/{ids['own']}/scorecard")
    assert [one["code"] for one in said["kpis"]["items"]] == ["ALL", "OWN"]
    assert [one["value"] for one in said["own"]["scores"]] == [one["value"] for one in card["scores"]]
    assert (said["own"]["scores"][-1]["value"], said["all"]["scores"][-1]["value"]) == ("1", "2")
    assert said["kpiRecords"]["items"] == [{"measure": "order_confirmed", "count": 1}]
    assert said["dashboardFigures"]["tiles"] == [{"parts": [{"value": "2"}]}]
    assert said["funnel"]["stages"][0] == {"stage": "order", "count": 2}
    # A seller: their own, and the company's is not there.
    seen = await graphql(seller, asked, **ids)
    assert [one["code"] for one in seen["data"]["kpis"]["items"]] == ["OWN"]
    assert seen["data"]["own"]["scores"][-1]["value"] == "1"
    assert (seen["data"]["all"], problem(seen)["status"]) == (None, 404)
    assert seen["data"]["dashboardFigures"]["tiles"] == [{"parts": [{"value": "1"}]}]
    assert seen["data"]["funnel"]["stages"][0]["count"] == 1


async def test_that_all_was_seen_is_told_to_who_listens(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    listener, listener_id = await _colleague(gateway, company.member, "notifications:read", "notifications:write")
    news = "subscription {notificationChanged {sequence type notification {title readAt}}}"
    async with asyncio.timeout(WITHIN), aclosing(messages(listener, news)) as changes:
        assert (await anext(changes))["data"]["notificationChanged"]["type"] is None
        await company.member.post("/v1/tasks", {"title": "Call", "user_id": listener_id})
        told = (await anext(changes))["data"]["notificationChanged"]
        assert told["type"] == "notification.created"
        assert (await data(listener, "{unreadNotifications {count}}"))["unreadNotifications"]["count"] == 1
        await listener.patch("/v1/notifications/read-all", None)
        told = (await anext(changes))["data"]["notificationChanged"]
        assert (told["type"], told["notification"]) == ("notification.mailbox.all_read", None)
        assert (await data(listener, "{unreadNotifications {count}}"))["unreadNotifications"]["count"] == 0


async def _colleague(gateway: Gateway, member: Member, *scopes: str) -> tuple[Member, str]:
    """Somebody of the same company whose role grants these, and their id."""
    role = await member.post("/v1/auth/roles", {"name": "colleague", "scopes": list(scopes)})
    email = "colleague@example.org"
    body = {"email": email, "name": "Colleague", "password": PASSWORD, "roles": [role["name"]]}
    made = await member.post("/v1/auth/users", body)
    return await gateway.log_in(member.slug, email, PASSWORD), made["id"]


async def test_a_subscription_leaves_no_change_out_and_ends_with_its_session(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    watcher = await gateway.log_in(member.slug, member.email)
    order = await company.order(2, confirm=False)
    stock = "subscription($id: ID!) {inventoryUpdated(warehouseId: $id) {type level {available}}}"
    async with (
        asyncio.timeout(WITHIN),
        aclosing(messages(watcher, CHANGES, id=order["id"])) as changes,
        aclosing(messages(member, stock, id=company.warehouse_id)) as levels,
    ):
        first = (await anext(changes))["data"]["orderStatusChanged"]
        assert first == {
            "sequence": order["version"],
            "type": None,
            "order": {"status": "draft", "version": order["version"]},
        }
        assert (await anext(levels))["data"]["inventoryUpdated"] == {"type": None, "level": None}
        await member.post(f"/v1/orders/{order['id']}/confirm", {})
        seen: list[Any] = []
        while not seen or seen[-1]["type"] != "order.shipment_requested":
            seen.append((await anext(changes))["data"]["orderStatusChanged"])
        assert [each["sequence"] for each in seen] == [*range(first["sequence"] + 1, first["sequence"] + 1 + len(seen))]
        assert {"order.confirmed", "order.allocated"} < {each["type"] for each in seen}
        assert all(each["order"]["version"] >= each["sequence"] for each in seen)
        level = (await anext(levels))["data"]["inventoryUpdated"]
        assert level == {
            "type": "inventory.stock.reserved",
            "level": {"available": (await company.stock())["available"]},
        }
        answer = await gateway.client.post("/v1/auth/logout", json={"refresh_token": watcher.refresh_token})
        assert answer.status_code == 204
        last = [each async for each in changes][-1]
        assert problem(last)["type"] in ("urn:tailrace:problem:token-revoked", "urn:tailrace:problem:unauthenticated")
        # Who did not log out still hears.
        await company.receive(1)
        assert (await anext(levels))["data"]["inventoryUpdated"]["type"] == "inventory.stock.received"
