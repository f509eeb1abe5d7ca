"""A company's own ways of shipping over the whole fleet: its template says how goods are tracked, which lot leaves first, what a shipment needs."""

from typing import Any

from company import Company

from tailrace_testing.gateway import Gateway, eventually

METAL = {"heat_numbers": True, "certificates": True}
SETTINGS = {
    "fields": {"shipment": [{"key": "inspection", "label": "Inspection report", "required": True}]},
    "numbering": {"shipment": "S-{number:05}"},
    "shipping": {"lots": True, "first_expired_first": False, "in_parts": False, **METAL},
}


async def test_goods_leave_as_the_companys_template_says(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member, heard = company.member, list[str]()
    template = {"code": "OWN", "name": "Own", "level": "standard", "settings": SETTINGS}
    made = await member.post("/v1/templates", template, marks=heard)
    await member.put("/v1/template-choice", {"template_id": made["id"]}, marks=heard)
    for path in ("/v1/inventory/stock", "/v1/shipments", "/v1/orders"):
        await member.get(path, having_seen=", ".join(heard))

    plain = {"name": "Box", "unit": "pcs", "tax_rate": "0.1"}
    assert (await member.post("/v1/items", {**plain, "sku": "BOX", "tracking": "none"}))["tracking"] == "none"
    milk = await member.post("/v1/items", {**plain, "sku": "MILK", "name": "Milk", "expires": True})
    assert milk["tracking"] == "lot"
    company.item_id = milk["id"]
    where = {"item_id": milk["id"], "warehouse_id": company.warehouse_id}
    bought = {**where, "quantity": "3", "value": 300, "currency": "EUR", "reason": "purchase"}
    for number, last in (("CAME-FIRST", "2097-02-01"), ("EXPIRES-FIRST", "2097-01-01")):
        lots = [{"number": number, "quantity": "3", "expires_on": last}]
        await member.post("/v1/inventory/receipts", {**bought, "lots": lots})

    order = await company.order(4)
    (shipment,) = await eventually(lambda: company.shipments(order["id"]), bool, what="a shipment")
    taken = [(lot["number"], lot["quantity"]) for line in shipment["lines"] for lot in line["lots"]]
    assert (shipment["number"], taken) == ("S-00001", [("CAME-FIRST", "3"), ("EXPIRES-FIRST", "1")])

    async def refused(what: str, **body: Any) -> tuple[int, str]:
        answer = await member.send("POST", f"/v1/shipments/{shipment['id']}/{what}", json=body)
        return answer.status_code, str(answer.json()["type"]).rpartition(":")[2]

    line = {"line_id": shipment["lines"][0]["line_id"], "quantity": "1"}
    assert await refused("split", lines=[line]) == (409, "not-in-parts")
    assert await refused("dispatch") == (409, "field-missing")
    fields = {"custom_fields": {"inspection": "IR-7"}}
    await member.put(f"/v1/shipments/{shipment['id']}/custom-fields", fields)
    # The lots say of which melts it is; the certificate is missing.
    assert await refused("dispatch") == (409, "certificate-missing")
    files = {"file": ("3.1.pdf", b"%PDF-1.7\n", "application/pdf")}
    added = await member.send("POST", f"/v1/shipments/{shipment['id']}/attachments", files=files)
    assert added.status_code == 201, added.text
    await member.post(f"/v1/shipments/{shipment['id']}/dispatch", {})
    await eventually(lambda: company.read(order["id"]), lambda o: o["shipment"] == "full", what="all of it shipped")
