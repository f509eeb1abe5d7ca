"""Items from files: by sku, with a tax code by its name, once; one refusal among many rows costs nobody else theirs."""

import csv
import io

from catalog.service import service
from contracts.users import TenantCreated
from tailrace_testing import MakeHarness

AT = "/v1/items"


async def test_items_are_made_by_their_rules_and_a_second_time_not(make_harness: MakeHarness) -> None:
    h = await make_harness(service)
    founded = TenantCreated(tenant_id=h.tenant, slug="acme", name="Acme", currency="EUR")
    await h.deliver(founded, aggregate_id=h.tenant)
    rates = [{"valid_from": "2021-01-01", "rate": "0.19"}]
    await h.client.post("/v1/tax-codes", json={"code": "STD", "name": "Standard", "rates": rates})
    rows = "品番,Name,Unit,税率,Tax code,有効,Further unit,Factor\n"
    rows += "BOLT,Bolt,pcs,0.19,,はい,box,12\nNUT,Nut,pcs,,ｓtd,no,,\nBAD,Bad,pcs,,NONE,,,\nUGLY,Ugly,furlong,0.1,,,,\n"
    job = await h.import_rows(f"{AT}/import", rows)
    assert job["counts"] == {"created": 2, "refused": 2}
    items = {item["sku"]: item for item in (await h.client.get(AT)).json()["items"]}
    assert items["BOLT"]["conversions"] == [{"unit": "box", "factor": "12"}]
    assert (items["BOLT"]["active"], items["NUT"]["active"]) == (True, False)
    assert items["NUT"]["tax_code_id"] is not None
    refused = await h.client.get(f"{AT}/jobs/{job['id']}/refused")
    named = [row[-3:] for row in csv.reader(io.StringIO(refused.text))][1:]
    assert named == [["4", "Tax code", "There is no NONE here."], ["5", "Unit", "There is no unit furlong."]]
    again = await h.import_rows(f"{AT}/import", rows)
    assert again["counts"] == {"unchanged": 2, "refused": 2}, again
    exported = (await h.client.get(AT, headers={"Accept": "text/csv"})).text
    assert (await h.import_rows(f"{AT}/import", exported))["counts"] == {"unchanged": 2}
    fixed = await h.import_rows(f"{AT}/import", "sku,name,unit\nBOLT,Bolt,kg\n")
    assert fixed["counts"] == {"refused": 1}
