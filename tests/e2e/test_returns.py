"""Five pieces are sold, shipped and invoiced; two come back, one to be sold again and one to be thrown away. What is left is computed from that."""

from company import COST, OPENING, PRICE, Company, dead_letters
from quiescence import quiescent

from tailrace.stack.embedded import Stack
from tailrace_testing.gateway import Gateway, eventually

V1 = "/v1/accounting"
SOLD, RESTOCKED, SCRAPPED = 5, 1, 1
BACK = RESTOCKED + SCRAPPED


async def test_goods_come_back_and_are_credited(fleet: Stack, gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    assert (await member.send("PUT", f"{V1}/billing", json={"mode": "per_shipment", "issues": True})).status_code == 200
    order = await company.order(SOLD)
    await company.ship(order["id"])
    (invoice,) = await eventually(
        lambda: member.every(f"{V1}/invoices", order_id=order["id"]),
        lambda found: [each["status"] for each in found] == ["issued"],
        what="the invoice",
    )
    reason = await member.post("/v1/return-reasons", {"code": "BROKEN", "name": "Broken"})
    found = await eventually(
        lambda: member.get(f"/v1/orders/{order['id']}/returnable"), lambda said: said["lines"], what="what left"
    )
    (left,) = found["lines"]
    line = {"shipment_id": left["shipment_id"], "line_id": left["line_id"], "quantity": str(BACK)}
    asked = {"order_id": order["id"], "return_reason_id": reason["id"], "lines": [line], "authorise": True}
    made = await member.post("/v1/returns", asked)

    here = f"/v1/return-shipments/{made['return_shipment_id']}"
    await eventually(lambda: member.send("GET", here), lambda said: said.status_code == 200, what="what is expected")
    of = made["lines"][0]["id"]
    came = {
        "lines": [{"return_line_id": of, "quantity": str(BACK)}],
        "unexpected": [{"description": "A nut", "quantity": "1"}],
    }
    assert (await member.post(f"{here}/receive", came))["status"] == "received"
    seen = [("restock", RESTOCKED), ("scrap", SCRAPPED)]
    lines = [{"return_line_id": of, "verdict": verdict, "quantity": str(many)} for verdict, many in seen]
    assert (await member.post(f"{here}/inspect", {"lines": lines}))["status"] == "inspected"

    closed = await eventually(
        lambda: member.get(f"/v1/returns/{made['id']}"), lambda said: said["status"] == "closed", what="the end of it"
    )
    assert (closed["credited_net"], closed["credited_tax"]) == (BACK * PRICE, BACK * PRICE // 10)
    await quiescent(fleet, member.tenant_id)
    (note,) = await member.every(f"{V1}/credit-notes", invoice_id=invoice["id"])
    assert (note["net"], note["tax"]) == (BACK * PRICE, BACK * PRICE // 10)
    assert (await member.send("GET", f"{V1}/credit-notes/{note['id']}/document")).content[:5] == b"%PDF-"
    now = await member.get(f"{V1}/invoices/{invoice['id']}")
    kept = SOLD - BACK
    assert (now["open"], now["credited"]) == (kept * PRICE * 11 // 10, BACK * PRICE * 11 // 10)

    stock, in_stock = await company.stock(), OPENING - SOLD + RESTOCKED
    assert (stock["on_hand"], stock["reserved"], stock["value"]) == (str(in_stock), "0", in_stock * COST)
    balances = {code: amount for code, amount in (await company.balances()).items() if amount}
    assert balances == {
        "1200": kept * PRICE * 11 // 10,
        "1400": in_stock * COST,
        "2200": -kept * PRICE // 10,
        "3900": -OPENING * COST,
        "4000": -kept * PRICE,
        "5000": kept * COST,
        "5100": SCRAPPED * COST,
    }
    integrity = await member.get(f"{V1}/integrity")
    assert integrity["intact"], integrity
    assert (await company.read(order["id"]))["invoiced"] == kept * PRICE * 11 // 10
    assert await dead_letters(fleet, company) == []
