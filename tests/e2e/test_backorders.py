"""Short stock over the whole fleet: what is there leaves, the rest follows when goods come in, and a lot that is blocked stays."""

from typing import Any

from company import Company

from tailrace_testing.gateway import Gateway, eventually


async def test_what_waits_is_shipped_when_goods_come_in(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    milk = {"sku": "MILK", "name": "Milk", "unit": "pcs", "tax_rate": "0.1", "tracking": "lot", "expires": True}
    company.item_id = (await company.member.post("/v1/items", milk))["id"]

    async def take_in(number: str, quantity: int, last: str) -> None:
        where = {"item_id": company.item_id, "warehouse_id": company.warehouse_id}
        lots = [{"number": number, "quantity": str(quantity), "expires_on": last}]
        bought = {"quantity": str(quantity), "value": 100, "currency": "EUR", "reason": "purchase", "lots": lots}
        await company.member.post("/v1/inventory/receipts", {**where, **bought})

    async def lots_of(shipment: Any) -> list[tuple[str, str]]:
        return [(lot["number"], lot["quantity"]) for line in shipment["lines"] for lot in line["lots"]]

    await take_in("B", 3, "2097-02-01")
    await take_in("A", 2, "2097-01-01")
    order = await company.order(8, partial_allowed=True, when_short="wait")
    (first,) = await eventually(lambda: company.shipments(order["id"]), bool, what="a shipment of what is there")
    assert await lots_of(first) == [("A", "2"), ("B", "3")]
    await company.member.post(f"/v1/shipments/{first['id']}/dispatch", {})
    waiting = await company.read(order["id"])
    assert (waiting["backordered"], waiting["lines"][0]["backordered"]) == (True, "3")

    await take_in("C", 5, "2097-03-01")
    both = await eventually(
        lambda: company.shipments(order["id"]), lambda s: len(s) == 2, what="a shipment of the rest"
    )
    (second,) = [one for one in both if one["id"] != first["id"]]
    assert await lots_of(second) == [("C", "3")]
    (lot,) = await company.member.every("/v1/inventory/lots", number="C")
    at = f"/v1/inventory/lots/{lot['id']}/status"
    blocked: list[str] = []
    await company.member.post(at, {"status": "blocked", "reason": "recalled"}, marks=blocked)

    async def leave() -> tuple[int, str]:
        """What shipping says that has heard of the block; before, it answers 503 and does nothing."""
        answer = await company.member.send("GET", f"/v1/shipments/{second['id']}")
        headers = {"If-Match": answer.headers["etag"], "Tailrace-After": blocked[0]}
        refused = await company.member.send("POST", f"/v1/shipments/{second['id']}/dispatch", json={}, headers=headers)
        return refused.status_code, str(refused.json().get("type"))

    answer = await eventually(leave, lambda answer: answer[0] < 500, what="an answer of one who has heard")
    assert answer == (409, "urn:tailrace:problem:lot-stopped")
    await company.member.post(at, {"status": "released", "reason": "the sample is good"})
    await eventually(leave, lambda answer: answer[0] == 200, what="the lot may leave")
    await eventually(lambda: company.read(order["id"]), lambda o: o["shipment"] == "full", what="all of it shipped")
    traced = await eventually(
        lambda: company.member.get(f"/v1/inventory/lots/{lot['id']}"),
        lambda t: bool(t["went_to"]),
        what="the lot's way",
    )
    assert [(one["shipment_id"], one["quantity"]) for one in traced["went_to"]] == [(second["id"], "-3")]
    await _leads_there_and_back(company, order["id"], {first["id"], second["id"]})


async def _leads_there_and_back(company: Company, order: str, shipments: set[str]) -> None:
    """What waited is filled by a timer: the order's trace goes on behind it, and from either shipment's journal back over it."""

    async def traced(id: str) -> dict[str, Any]:
        answer = await company.member.send("GET", f"/v1/trace/{id}")
        return dict(answer.json()) if answer.status_code == 200 else {"nodes": [], "complete": False}

    def journals(trace: dict[str, Any]) -> set[str]:
        """Those that shipments led to, and no receipt."""
        nodes, causes = (
            {node["id"]: node for node in trace["nodes"]},
            {edge["effect"]: edge["cause"] for edge in trace["edges"] if edge["kind"] == "caused"},
        )
        posted = [node for node in trace["nodes"] if node["type"] == "accounting.journal.posted"]
        roots = {node["document_id"]: _first(node["id"], causes) for node in posted}
        return {journal for journal, root in roots.items() if nodes[root]["type"] == "shipment.dispatched"}

    def whole(trace: dict[str, Any]) -> bool:
        return (
            trace["complete"]
            and shipments <= {node["document_id"] for node in trace["nodes"]}
            and bool(journals(trace))
        )

    forward = await eventually(
        lambda: traced(order),
        lambda trace: whole(trace) and len(journals(trace)) >= 4,
        what="the whole way of the order",
    )
    assert "inventory.backorder.filled" in {node["type"] for node in forward["nodes"]}
    for journal in journals(forward):
        back = await traced(journal)
        told = {(node["document_id"], node["type"]) for node in back["nodes"]}
        assert back["complete"] and (order, "order.created") in told, journal
        assert shipments <= {document for document, type in told if type == "shipment.dispatched"}, journal


def _first(id: str, causes: dict[str, str]) -> str:
    while id in causes:
        id = causes[id]
    return id
