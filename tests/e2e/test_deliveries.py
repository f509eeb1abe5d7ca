"""On the running fleet: a supplier announces a delivery, a parcel less comes, and receipts against it bring what came into stock and the books."""

from company import COST, OPENING, Company

from tailrace_testing.gateway import Gateway, eventually

ONE, TWO = "376104250021234569", "049123450000000019"


async def test_what_a_supplier_announced_comes_into_stock_as_far_as_it_came(gateway: Gateway) -> None:
    company = await Company.found(gateway)
    member = company.member
    parcels = [{"sscc": sscc, "lines": [{"sku": "PL-1", "quantity": "20"}]} for sscc in (ONE, TWO)]
    said = {"supplier_name": "Plates Ltd", "reference": "D-77", "packages": parcels}
    asn = await member.post("/v1/asns", said)
    at = f"/v1/asns/{asn['id']}"
    await member.post(f"{at}/arrive", {})
    await member.post(f"{at}/scan", {"sscc": ONE, "lines": [{"sku": "PL-1", "quantity": "18"}]})
    closed = await member.post(f"{at}/receive")
    assert [(each["announced"], each["received"]) for each in closed["differences"]] == [("20", "18"), ("20", "0")]

    # The notice itself moves nothing.
    stock = {"item_id": company.item_id, "warehouse_id": company.warehouse_id}
    (line,) = await eventually(
        lambda: member.every("/v1/inventory/delivery-lines", asn_id=asn["id"]), bool, what="what came, to be put away"
    )
    assert (line["sku"], line["received"], line["taken_in"], line["number"]) == ("PL-1", "18", "0", asn["number"])
    (before,) = await member.every("/v1/inventory/stock", **stock)
    assert before["on_hand"] == str(OPENING)

    put = {**stock, "unit_cost": str(COST), "currency": "EUR", "reason": "purchase", "delivery_line_id": line["id"]}
    moved = await member.post("/v1/inventory/receipts", {**put, "quantity": "10"})
    assert (moved["reference"], moved["value"]) == (asn["number"], 10 * COST)
    too_much = await member.send("POST", "/v1/inventory/receipts", json={**put, "quantity": "9"})
    assert (too_much.status_code, too_much.json()["type"]) == (409, "urn:tailrace:problem:more-than-came")
    await member.post("/v1/inventory/receipts", {**put, "quantity": "8"})
    (after,) = await member.every("/v1/inventory/stock", **stock)
    assert (after["on_hand"], after["value"]) == (str(OPENING + 18), (OPENING + 18) * COST)
    assert await member.every("/v1/inventory/delivery-lines", asn_id=asn["id"], waiting="true") == []
    journals = await eventually(
        lambda: member.every("/v1/accounting/journals", source_id=moved["stock_id"]),
        lambda found: len(found) == 3,
        what="the opening and both receipts in the books",
    )
    booked = [await member.get(f"/v1/accounting/journals/{each['id']}") for each in journals]
    assert sorted(sum(line["debit"] for line in each["lines"]) for each in booked) == [
        8 * COST,
        10 * COST,
        OPENING * COST,
    ]
