"""Opening stock from files: receipts of goods that were there, each once."""

from depot import Depot

from contracts.inventory import StockReceived

AT = "/v1/inventory/stock/import"
HEAD = "SKU,倉庫,Quantity,Unit,Value,Unit cost,Currency,Effective at\n"
ROWS = "BOLT,N,10,box,1200,,EUR,2026-01-01\nBOLT,S,5,,,10,EUR,2026-01-01\nFLOUR,N,2.5,kg,500,,EUR,2026-01-01\n"


async def test_stock_is_opened_once_in_the_base_unit(depot: Depot) -> None:
    job = await depot.h.import_rows(AT, HEAD + ROWS)
    assert job["counts"] == {"created": 3}, job
    stock = (await depot.h.client.get("/v1/inventory/stock")).json()["items"]
    assert sorted((each["on_hand"], each["value"]) for each in stock) == [("120", 1200), ("2.5", 500), ("5", 50)]
    assert {event.event.reason for event in await depot.h.published(StockReceived)} == {"opening"}
    assert (await depot.h.import_rows(AT, HEAD + ROWS))["counts"] == {"unchanged": 3}
    assert len(await depot.h.published(StockReceived)) == 3
    # The same in other spellings of the codes.
    spelled = ROWS.replace("BOLT,N", "bolt,n").replace("FLOUR,N", "Ｆlour,Ｎ")
    assert (await depot.h.import_rows(AT, HEAD + spelled))["counts"] == {"unchanged": 3}


async def test_rows_that_cannot_be_are_refused_and_the_others_kept(depot: Depot) -> None:
    rows = ROWS + "HOUR,N,1,,100,,EUR,2026-01-01\nBOLT,N,1,,,,EUR,2026-01-01\nBOLT,N,-1,,100,,EUR,2026-01-01\n"
    job = await depot.h.import_rows(AT, HEAD + rows)
    assert job["counts"] == {"created": 3, "refused": 3}, job
    places = ["Item id", "Value, Unit cost", "Quantity"]
    assert [message.partition(": ")[0].partition(", ")[2] for message in job["messages"]] == places
    assert len(await depot.h.published("inventory.stock.received")) == 3
