"""Tariffs are kept and imported, and a shipment is quoted by them on the company's day."""

from ordered import Order
from tariffs import RATES, carrier, kept, tariff

from contracts.users import DateBounds, TenantDatePolicyChanged
from tailrace_testing import Harness, SetClock


async def test_a_shipment_is_quoted_by_every_tariff_with_a_choice(order: Order, shipping: Harness) -> None:
    post = await carrier(shipping)
    slow = await kept(shipping, tariff(post, "SLOW", days=4, fuel_rate="0.1"))
    quick = await kept(shipping, tariff(post, "QUICK", days=1, service="express", rates=[{**RATES[1], "price": 2000}]))
    light = await kept(shipping, tariff(post, "LIGHT", rates=[{**RATES[0], "up_to_grams": 100}]))
    euro = await kept(shipping, tariff(post, "EURO", currency="EUR", days=0))
    await kept(shipping, tariff(post, "OFF", active=False))
    shipment = await order.shipment()
    at = f"/v1/shipments/{shipment}/rates"
    for body in ({}, {"lines": order.some("10", "2.5")}):
        refused = await shipping.client.get(at)
        assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:not-packed")
        await order.post(shipment, "pick") if not body else await order.post(shipment, "packages", **body)
    assert (await shipping.client.get(at)).json()["detail"].endswith("was not weighed.")
    packed = await Order(shipping).packed()
    said = (await shipping.client.get(f"/v1/shipments/{packed}/rates", params={"on": "2026-06-01"})).json()
    found = [(each["tariff_id"], each["total"], each["unavailable"]) for each in said["quotes"]]
    assert found == [(euro, 800, None), (slow, 880, None), (quick, 2000, None), (light, None, "too_heavy")]
    assert said["quotes"][1]["charges"] == [
        {"kind": "carriage", "name": None, "amount": 800},
        {"kind": "fuel", "name": None, "amount": 80},
    ]
    assert (said["cheapest"]["tariff_id"], said["fastest"]["tariff_id"]) == (slow, quick)
    assert said["cheapest"]["reason"] == "880 JPY: the lowest of 2."
    early = (await shipping.client.get(f"/v1/shipments/{packed}/rates", params={"on": "2025-12-31"})).json()
    assert (early["cheapest"], {each["unavailable"] for each in early["quotes"]}) == (None, {"not_valid"})


async def test_today_is_the_companys(order: Order, shipping: Harness, clock: SetClock) -> None:
    await shipping.count_days_in("Asia/Tokyo")
    clock("2026-06-30T15:30:00Z")
    await kept(shipping, tariff(await carrier(shipping), "JULY", valid_from="2026-07-01", valid_until="2026-07-01"))
    shipment = await order.packed()
    said = (await shipping.client.get(f"/v1/shipments/{shipment}/rates")).json()
    assert (said["on"], said["cheapest"]["reason"]) == ("2026-07-01", "800 JPY: the only tariff that is for it.")


async def test_tariffs_are_refused_by_field_and_hold_their_carrier(shipping: Harness) -> None:
    post = await carrier(shipping)
    for changes, field in (
        ({"valid_until": "2025-12-31"}, "/valid_until"),
        ({"valid_from": "2199-01-01"}, "/valid_from"),
        ({"valid_from": "1900-01-01", "valid_until": "1900-01-02"}, "/valid_until"),
        ({"rates": []}, "/rates"),
        ({"rates": [RATES[0], {**RATES[0], "price": 1}]}, "/rates/1"),
        ({"rates": [{**RATES[0], "postal_prefix": "--"}]}, "/rates/0/postal_prefix"),
        ({"fuel_rate": "1.5"}, "/fuel_rate"),
        ({"divisor": 0}, "/divisor"),
        ({"carrier_id": "01890000-0000-7000-8000-000000000000"}, "/carrier_id"),
    ):
        answer = await shipping.client.post("/v1/tariffs", json={**tariff(post, "T"), **changes})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field), (changes, answer.text)
    id = await kept(shipping, tariff(post, "T", rates=[{**RATES[0], "postal_prefix": "１００－"}]))
    assert (await shipping.client.get(f"/v1/tariffs/{id}")).json()["rates"][0]["postal_prefix"] == "100"
    refused = await shipping.client.delete(f"/v1/carriers/{post}")
    assert (refused.status_code, refused.json()["detail"]) == (409, "Tariff T is one of POST.")
    await shipping.client.delete(f"/v1/tariffs/{id}")
    assert (await shipping.client.delete(f"/v1/carriers/{post}")).status_code == 204
    assert (await shipping.client.post(f"/v1/tariffs/{id}/restore")).status_code == 409


async def test_a_file_of_rates_makes_a_tariff_whole(shipping: Harness) -> None:
    await carrier(shipping)
    head = "code,name,carrier,service,currency,valid_from,rates.country,rates.postal_prefix,rates.up_to_grams,rates.price\n"
    rows = "A,Alpha,POST,standard,JPY,2026-01-01,JP,10,500,500\nA,,,,,,JP,,500,600\nA,,,,,,JP,,2000,800\n"
    bad = "B,Beta,NOBODY,standard,JPY,2026-01-01,JP,,500,x\n"
    job = await shipping.import_rows("/v1/tariffs/import", head + rows + bad)
    assert job["counts"] == {"created": 1, "refused": 1}, job
    refused = (await shipping.client.get(f"/v1/tariffs/jobs/{job['id']}/refused")).text
    assert "There is no NOBODY here." in refused
    (made,) = (await shipping.client.get("/v1/tariffs", params={"code": "A"})).json()["items"]
    read = (await shipping.client.get(f"/v1/tariffs/{made['id']}")).json()
    assert [(each["postal_prefix"], each["up_to_grams"], each["price"]) for each in read["rates"]] == [
        ("10", 500, 500),
        (None, 500, 600),
        (None, 2000, 800),
    ]
    fewer = "A,Alpha,ｐost,standard,JPY,2026-01-01,JP,,500,650\n"
    await shipping.import_rows("/v1/tariffs/import", head + fewer)
    now = (await shipping.client.get(f"/v1/tariffs/{made['id']}")).json()
    assert [(each["postal_prefix"], each["price"]) for each in now["rates"]] == [(None, 650)]
    again = await shipping.import_rows("/v1/tariffs/import", head + fewer)
    assert again["counts"] == {"unchanged": 1}


async def test_a_company_says_how_far_off_a_tariff_is(shipping: Harness, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    post = await carrier(shipping)
    old = tariff(post, "OLD", valid_from="2026-01-01", valid_until="2026-06-30")
    id = await kept(shipping, old)
    policy = TenantDatePolicyChanged(
        tenant_id=shipping.tenant, bounds=[DateBounds(kind="tariff", days_back=1, days_ahead=2)]
    )
    await shipping.deliver(policy, aggregate_id=shipping.tenant)
    for validity, field in (
        ({"valid_from": "2026-11-29"}, ""),
        ({"valid_from": "2026-11-30"}, "/valid_from"),
        ({"valid_from": "2026-01-01", "valid_until": "2026-11-26"}, ""),
        ({"valid_from": "2026-01-01", "valid_until": "2026-11-25"}, "/valid_until"),
    ):
        answer = await shipping.client.post("/v1/tariffs", json={**tariff(post, str(validity)[-16:-2]), **validity})
        said = (answer.status_code, field and answer.json()["errors"][0]["field"])
        assert said == (422 if field else 201, field), answer.text
    renamed = await shipping.client.put(f"/v1/tariffs/{id}", json={**old, "name": "Renamed", "active": False})
    assert renamed.status_code == 200, renamed.text
