"""Orders from files: a row for each line, by the codes that people know, once."""

import csv
import io

from contracts import catalog

from .conftest import Desk
from .credit import Buyer

AT = "/v1/orders"
HEAD = "顧客注文番号,Customer,Currency,Ordered at,Confirm,SKU,Warehouse,Quantity,Unit,Net,Price list\n"
TWO = (
    "PO-1,Ada,EUR,2026-01-31,no,BOLT,N,2,box,4800,\n,,,,,FLOUR,S,1.5,,300,\nPO-2,Bo,EUR,2026-02-01,yes,BOLT,N,1,,100,\n"
)


async def test_an_order_of_several_rows_is_one_and_is_not_made_again(desk: Desk) -> None:
    spelled = TWO.replace("BOLT,N", "Ｂolt,n").replace("FLOUR,S", "flour,Ｓ")
    job = await desk.h.import_rows(f"{AT}/import", HEAD + spelled)
    assert (job["done"], job["counts"]) == (3, {"created": 2})
    first, second = (await desk.h.client.get(AT)).json()["items"]
    assert (first["customer_reference"], first["status"], second["status"]) == ("PO-1", "draft", "confirmed")
    assert first["ordered_at"] == "2026-01-31T00:00:00Z"
    lines = (await desk.h.client.get(f"{AT}/{first['id']}")).json()["lines"]
    assert [(line["sku"], line["quantity"], line["net"]) for line in lines] == [
        ("BOLT", "24", 4800),
        ("FLOUR", "1.5", 300),
    ]
    events = len(await desk.h.published())
    assert (await desk.h.import_rows(f"{AT}/import", HEAD + TWO))["counts"] == {"unchanged": 2}
    assert len(await desk.h.published()) == events


async def test_a_line_that_cannot_be_sold_refuses_its_order_and_no_other(desk: Desk) -> None:
    await desk.h.deliver(catalog.ItemDeleted(item_id=desk.hour, sku="HOUR"), aggregate_id=desk.hour)
    wrong = TWO.replace("FLOUR,S", "HOUR,S").replace("PO-2", "PO-3")
    job = await desk.h.import_rows(f"{AT}/import", HEAD + wrong)
    assert job["counts"] == {"created": 1, "refused": 1}
    refused = await desk.h.client.get(f"{AT}/jobs/{job['id']}/refused")
    rows = [row[-3:] for row in csv.reader(io.StringIO(refused.text))][1:]
    assert [row[0] for row in rows] == ["2", "3"]
    assert "no longer in use" in rows[1][2]


async def test_an_order_is_the_customers_whose_number_it_says(desk: Desk) -> None:
    ada = await (await Buyer(desk).described()).may_owe(1_000)
    head = "Customer reference,Customer number,Currency,Confirm,SKU,Warehouse,Quantity,Net\n"
    rows = "PO-1,ｃ-1,EUR,yes,BOLT,N,1,1000\n,,,,BOLT,N,1,100\nPO-1,C-2,EUR,yes,BOLT,N,1,100\n"
    job = await desk.h.import_rows(f"{AT}/import", head + rows)
    assert job["counts"] == {"created": 1, "refused": 1}
    assert job["messages"] == ["Row 4, Customer number: There is no C-2 here."]
    (order,) = (await desk.h.client.get(AT)).json()["items"]
    said = (order["customer_id"], order["customer_name"], order["status"])
    assert said == (str(ada.id), "Ada Works", "credit_hold")
    assert (await desk.h.import_rows(f"{AT}/import", head + rows))["counts"] == {"unchanged": 1, "refused": 1}


async def test_a_long_cell_is_not_repeated_in_every_reason(desk: Desk) -> None:
    head = "Customer reference,Customer,Currency,Street,SKU,Warehouse,Quantity,Net\n"
    rows = f"PO-1,Ada,EUR,{'x' * 19_000},BOLT,N,1,100\n" + f",,,y,{'S' * 19_000},N,1,100\n" * 20
    job = await desk.h.import_rows(f"{AT}/import", head + rows)
    assert job["counts"] == {"refused": 1}
    refused = await desk.h.client.get(f"{AT}/jobs/{job['id']}/refused")
    reasons = [row[-1] for row in csv.reader(io.StringIO(refused.text))][1:]
    assert len(reasons) == 21
    assert all("It is 'xxx" in reason and "There is no SSS" in reason for reason in reasons[1:])
    assert max(map(len, [*reasons, *job["messages"]])) < 300
