"""Dashboards as clients meet them: tiles of a parent, figures for who asks, pictures, and what is refused."""

from datetime import date, timedelta
from typing import Any
from xml.etree import ElementTree

import httpx2
from selling_desk import NOON, Desk, sell

from contracts import orders

DASHBOARDS = "/v1/analytics/dashboards"
PLACED = {"key": "placed", "title": "Confirmed", "measure": "orders_confirmed"}
NET = {"key": "net", "title": "Net", "measure": "order_net_confirmed", "currency": "EUR", "period": "day", "periods": 3}


async def put_together(desk: Desk, code: str, tiles: list[dict[str, Any]], status: int = 201, **said: Any) -> Any:
    answer = await desk.h.client.post(DASHBOARDS, json={"code": code, "name": code, "tiles": tiles, **said})
    assert answer.status_code == status, answer.text
    return answer.json()


async def figures(
    desk: Desk, dashboard: Any, client: httpx2.AsyncClient | None = None, as_of: str = "2026-10-11"
) -> dict[str, list[Any]]:
    shown = await desk.ask(f"{DASHBOARDS}/{dashboard['id']}/figures", client=client, as_of=as_of)
    return {one["tile"]["key"]: [part["value"] for part in one["parts"]] for one in shown["tiles"]}


async def test_a_dashboard_shows_its_parents_tiles_but_for_those_that_it_says_itself(desk: Desk) -> None:
    base = await put_together(desk, "BASE", [PLACED, NET])
    middle = await put_together(
        desk, "MIDDLE", [{**PLACED, "periods": 2}, {**NET, "hidden": True}], parent_id=base["id"]
    )
    below = await put_together(desk, "BELOW", [{**PLACED, "key": "again", "periods": 1}, NET], parent_id=middle["id"])
    assert {key: len(values) for key, values in (await figures(desk, base)).items()} == {"placed": 12, "net": 3}
    assert {key: len(values) for key, values in (await figures(desk, middle)).items()} == {"placed": 2}
    shown = await figures(desk, below)
    assert [(key, len(values)) for key, values in shown.items()] == [("placed", 2), ("net", 3), ("again", 1)]
    refusal = await desk.h.client.delete(f"{DASHBOARDS}/{middle['id']}", headers={"If-Match": '"1"'})
    assert (refusal.status_code, refusal.json()["type"].rpartition(":")[2]) == (409, "in-use")


async def test_figures_are_what_reports_say_for_who_asks_and_of_the_day_that_is_asked_for(desk: Desk) -> None:
    dashboard = await put_together(desk, "MINE", [PLACED, NET])
    for number, owner in enumerate((desk.bo, desk.cy, None)):
        said = await sell(desk, number, 10**number, owner)
    gone = orders.OrderReinstated(order_id=said["order_id"], reason="left")
    cancelled = orders.OrderCancelled(order_id=said["order_id"], reason="no")
    for later, event in enumerate((cancelled, gone)):
        await desk.h.deliver(event, aggregate_id=said["order_id"], time=NOON + timedelta(days=1 + later))
    everybody = await figures(desk, dashboard)
    assert everybody["net"] == ["0", "111", "0"]
    assert everybody["placed"][-1] == "3"
    assert sum(map(int, everybody["placed"])) == 3
    assert (await figures(desk, dashboard, as_of="2026-10-09"))["placed"][-1] == "0"
    shown = await desk.ask(f"{DASHBOARDS}/{dashboard['id']}/figures", as_of="2026-10-11")
    for one in shown["tiles"]:
        for part in one["parts"]:
            added = "amount" if one["tile"]["key"] == "net" else "count"
            assert sum(row[added] for row in await desk.every(part["records"])) == int(part["value"])
    own = desk.h.client_as("reports:read:own", user=desk.bo)
    behind = shown["tiles"][1]["parts"][1]["records"]
    assert [row["amount"] for row in (await desk.ask(behind, client=own))["items"]] == [1]
    assert (await figures(desk, dashboard, own))["net"] == ["0", "1", "0"]
    asked: dict[str, Any] = {
        "from_": date(2026, 10, 9),
        "until": date(2026, 10, 12),
        "interval": "day",
        "as_of": "2026-10-11",
    }
    rows = (await desk.ask("/v1/reports/sales-summary", **asked))["rows"]
    assert {row["begins_on"]: row["confirmed"]["amount"] for row in rows if row["confirmed"]["count"]} == {
        "2026-10-10": 111
    }


async def test_a_tile_is_drawn(desk: Desk) -> None:
    share = {"key": "rate", "title": "A < B", "measure": "quote_acceptance", "periods": 2}
    dashboard = await put_together(desk, "DRAWN", [NET, share])
    await sell(desk, 1, 123_456, desk.bo)
    path = f"{DASHBOARDS}/{dashboard['id']}/figures"
    drawn = await desk.h.client.get(f"{path}/net.svg", params={"as_of": "2026-10-11"})
    assert (drawn.status_code, drawn.headers["content-type"]) == (200, "image/svg+xml")
    bars = [
        each.findtext("{*}title")
        for each in ElementTree.fromstring(drawn.text).iter("{http://www.w3.org/2000/svg}rect")
        if len(each)
    ]
    assert bars == ["2026-10-10 to 2026-10-10: 1,234.56 EUR"]
    pixels = await desk.h.client.get(f"{path}/net.png", params={"as_of": "2026-10-11"})
    assert (pixels.status_code, pixels.headers["content-type"]) == (200, "image/png")
    assert "net.png" in pixels.headers["content-disposition"]
    drawn_wide = int(ElementTree.fromstring(drawn.text).attrib["width"])
    assert (pixels.content[:8], int.from_bytes(pixels.content[16:20])) == (b"\x89PNG\r\n\x1a\n", 2 * drawn_wide)
    nothing = await desk.h.client.get(f"{path}/rate.svg")
    assert "A &lt; B" in nothing.text
    assert "Nothing happened." in nothing.text
    for kind in ("svg", "png"):
        assert (await desk.h.client.get(f"{path}/other.{kind}")).status_code == 404


async def test_tiles_that_show_nothing_are_refused(desk: Desk) -> None:
    refused: dict[str, list[dict[str, Any]]] = {
        "/tiles/1/key": [PLACED, PLACED],
        "/tiles/0/currency": [{**NET, "currency": None}],
        "/tiles/1/currency": [NET, {**PLACED, "currency": "EUR"}],
        "/tiles/0/key": [{**PLACED, "key": "No key"}],
        "/tiles/0/periods": [{**PLACED, "periods": 121}],
    }
    for field, tiles in refused.items():
        answer = await put_together(desk, "BAD", tiles, status=422)
        assert answer["errors"][0]["field"] == field


async def test_dashboards_stand_on_one_another_five_deep(desk: Desk) -> None:
    parent: dict[str, Any] | None = None
    for number in range(5):
        parent = await put_together(desk, f"D{number}", [PLACED], parent_id=parent and parent["id"])
    assert parent is not None
    answer = await put_together(desk, "D5", [PLACED], status=422, parent_id=parent["id"])
    assert answer["errors"][0]["field"] == "/parent_id"
