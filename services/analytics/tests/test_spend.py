"""Spend and forecasts: sums equal what was told, records add up to them, suppliers are those of deliveries, days are the company's, bounds hold."""

import random
from collections import defaultdict
from datetime import UTC, date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import httpx2
import pytest
from goods_told import Goods
from made_month import midnight
from selling_desk import NOON, Desk, sell

from analytics import figures
from analytics.lake import exporter
from analytics.lake.engine import Engine
from analytics.standings.goods import supplier_of
from tailrace.core.ids import uuid7

SPEND, FORECAST = "/v1/analytics/spend", "/v1/analytics/forecast"
SUPPLIERS = ("Acme Rods", "Bolt & Söhne")
FIGURES = ("received", "returned", "issued")
AUTUMN: dict[str, Any] = {"from_": date(2026, 9, 1), "until": date(2026, 12, 1)}


async def a_season_of(goods: Goods) -> tuple[list[UUID], list[UUID]]:
    """Eighty movements of four items in two warehouses, of two suppliers and of nobody; some late, some around midnight in Tokyo."""
    items, places, draw = [uuid7() for _ in range(4)], [uuid7(), uuid7()], random.Random(16)
    deliveries: list[UUID | None] = [await goods.announce(SUPPLIERS[0]), None, await goods.announce(SUPPLIERS[1])]
    for number in range(80):
        item, place = draw.choice(items), draw.choice(places)
        day = midnight(date(2026, 9, 3) + timedelta(days=draw.randrange(80)))
        at = day + timedelta(seconds=draw.choice([-1, 0, draw.randrange(86_400)]))
        said: dict[str, Any] = {"quantity": Decimal(draw.randrange(1, 9_000_000)).scaleb(-6)}
        said |= {"currency": draw.choice(["EUR", "JPY"]), "asn_id": draw.choice(deliveries)}
        value = draw.randrange(1, 90_000)
        match number % 5:
            case 0:
                owed = draw.choice([None, value + 3])
                await goods.issue(item, place, value, at, **said, reason="return_to_supplier", credited=owed)
            case 1:
                await goods.issue(
                    item, place, value, at, **said, reason=draw.choice(["consumption", "scrap", "shipment"])
                )
            case _:
                why = draw.choice(["purchase", "purchase", "purchase", "opening", "transfer"])
                late = at + timedelta(days=draw.choice([0, 9]))
                await goods.receive(item, place, value, at, **said, reason=why, known=late)
    return items, places


def counted(goods: Goods, supplier: dict[UUID, str], by: str, as_of: date | None, item: UUID | None) -> dict[Any, Any]:
    """What the whole list comes to, by month in Tokyo, key and currency: count and value, and quantity where it is of one item."""
    of_one = by == "item" or item is not None
    end = None if as_of is None else midnight(as_of + timedelta(days=1))
    found: dict[Any, dict[str, list[Any]]] = defaultdict(lambda: defaultdict(lambda: [0, 0, Decimal(0)]))
    for event, known in goods.told:
        what = {"purchase": "received", "return_to_supplier": "returned"}.get(event.reason)
        what = what or ("issued" if event.reason in {"shipment", "consumption"} else None)
        if what is None or (end is not None and known >= end) or (item is not None and event.item_id != item):
            continue
        value = getattr(event, "credited", None) or event.value
        month = (event.effective_at + timedelta(hours=9)).date().replace(day=1).isoformat()
        keys = {"item": str(event.item_id), "warehouse": str(event.warehouse_id), "company": None}
        keys["supplier"] = supplier.get(event.asn_id)
        total = found[month, keys[by], event.currency][what]
        for place, more in enumerate((1, value, event.quantity)):
            total[place] += more
    return {place: {name: total[: 3 if of_one else 2] for name, total in row.items()} for place, row in found.items()}


def shown(answer: dict[str, Any], *, of_one: bool) -> dict[Any, Any]:
    """The same of an answer; quantities are there where rows are of one item."""
    found = {}
    for row in answer["rows"]:
        assert row["spent"] == row["received"]["amount"] - row["returned"]["amount"]
        assert all((row[name]["quantity"] is not None) == of_one for name in FIGURES)
        sums = {name: [row[name]["count"], row[name]["amount"]] for name in FIGURES if row[name]["count"]}
        if of_one:
            sums = {name: [*total, Decimal(row[name]["quantity"])] for name, total in sums.items()}
        found[row["begins_on"], row["key"], row["currency"]] = sums
    return found


async def test_spend_is_what_the_whole_list_comes_to(desk: Desk) -> None:
    goods = Goods(desk)
    items, _ = await a_season_of(goods)
    # Ids rise as they are made: the first delivery is the first supplier's.
    came_of = sorted({event.asn_id for event, _ in goods.told if event.asn_id})
    names = dict(zip(map(str, map(supplier_of, SUPPLIERS)), SUPPLIERS, strict=True))
    suppliers = dict(zip(came_of, names, strict=True))
    every = {**AUTUMN, "interval": "month"}
    for as_of in (None, date(2026, 9, 20), date(2026, 10, 16), date(2026, 11, 2)):
        for by in ("item", "company", "warehouse", "supplier"):
            answer = await desk.ask(SPEND, **every, by=by, as_of=as_of)
            assert shown(answer, of_one=by == "item") == counted(goods, suppliers, by, as_of, None)
        called = {row["key"]: row["supplier_name"] for row in answer["rows"]}
        assert called.pop(None) is None and called == names
        one = await desk.ask(SPEND, **every, item_id=items[0], as_of=as_of)
        assert shown(one, of_one=True) == counted(goods, suppliers, "company", as_of, items[0])
    of_acme = await desk.ask(SPEND, **every, supplier_id=supplier_of("ACME rods"), by="supplier")
    assert {row["supplier_name"] for row in of_acme["rows"]} == {"Acme Rods"}


async def test_what_adds_up_to_more_than_any_one_quantity_is_shown(desk: Desk) -> None:
    goods, item = Goods(desk), uuid7()
    for place in (uuid7(), uuid7()):
        await goods.receive(item, place, 10**15, quantity=Decimal("999999999999.999999"))
    (row,) = (await desk.ask(SPEND, **AUTUMN, by="item"))["rows"]
    assert (row["received"]["quantity"], row["spent"]) == ("1999999999999.999998", 2 * 10**15)


async def test_the_records_behind_each_figure_of_spend_add_up_to_it(desk: Desk) -> None:
    goods = Goods(desk)
    await a_season_of(goods)
    for by in ("item", "warehouse", "supplier", "company"):
        for row in (await desk.ask(SPEND, **AUTUMN, by=by))["rows"]:
            for name in FIGURES:
                records = await desk.every(row[name]["records"])
                assert sum(one["amount"] for one in records) == row[name]["amount"]
                assert sum(one["count"] for one in records) == row[name]["count"]
                if by == "item":
                    assert sum(Decimal(one["quantity"]) for one in records) == Decimal(row[name]["quantity"])


async def test_the_lake_says_the_same_to_the_unit(desk: Desk) -> None:
    goods = Goods(desk)
    items, places = await a_season_of(goods)
    engine = Asked(desk.h.app.state.lake, wide=0)

    async def answers() -> list[Any]:
        said: list[dict[str, Any]] = [{"by": by} for by in ("company", "item", "warehouse")]
        said += [{"item_id": items[0]}, {"warehouse_id": places[0], "by": "item"}]
        found = [(await desk.ask(SPEND, **AUTUMN, interval="week", **more))["rows"] for more in said]
        asked: dict[str, Any] = {"measure": "spend", "currency": "EUR", "interval": "week"}
        return [*found, (await foretell(desk, **asked))["points"]]

    without = await answers()
    await exporter.export_all(desk.h.database, desk.h.app.state.lake)
    desk.h.app.state.engine = engine
    await goods.receive(items[0], places[0], 12_345)
    assert await answers() != without
    asked = engine.asked
    assert asked >= 6
    with_lake = await answers()
    desk.h.app.state.engine = None
    assert await answers() == with_lake
    desk.h.app.state.engine = engine
    await desk.ask(SPEND, **AUTUMN, by="supplier")
    assert engine.asked == 2 * asked


class Asked(Engine):
    """Counts what it is asked."""

    asked = 0

    async def ask(self, *arguments: Any) -> Any:
        self.asked += 1
        return await super().ask(*arguments)


async def foretell(desk: Desk, status: int = 200, client: httpx2.AsyncClient | None = None, **body: Any) -> Any:
    body = {name: str(value) if isinstance(value, UUID | date) else value for name, value in body.items()}
    answer = await (client or desk.h.client).post(FORECAST, json=body, headers={"Idempotency-Key": str(uuid7())})
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_forecast_is_of_whole_months_of_the_companys_and_leads_to_its_records(desk: Desk) -> None:
    goods, item, place = Goods(desk), uuid7(), uuid7()
    for month in range(1, 10):
        # A second before midnight of the first in Tokyo is still the month before.
        await goods.receive(item, place, 1_000 * month, midnight(date(2026, month + 1, 1)) - timedelta(seconds=1))
    await goods.receive(item, place, 77, midnight(date(2026, 10, 1)))
    await goods.issue(item, place, 500, midnight(date(2026, 3, 5)), reason="return_to_supplier")
    as_of = date(2026, 10, 20)
    asked: dict[str, Any] = {"measure": "spend", "as_of": as_of, "horizon": 3}
    said = await foretell(desk, **asked)
    values = [1_000 * month - 500 * (month == 3) for month in range(1, 10)]
    assert [int(each["value"]) for each in said["history"]] == values
    assert (said["history"][0]["begins_on"], said["history"][-1]["ends_on"]) == ("2026-01-01", "2026-09-30")
    for each, value in zip(said["history"], values, strict=True):
        came, went = [await desk.every(link) for link in each["records"]]
        assert sum(one["amount"] for one in came) - sum(one["amount"] for one in went) == value
    assert [each["begins_on"] for each in said["points"]] == ["2026-10-01", "2026-11-01", "2026-12-01"]
    assert (said["method"], said["currency"], said["weights"]["season"]) == ("damped_trend", "EUR", None)
    for each in said["points"]:
        low, inner, value, outer, high = (
            int(each[name]) for name in ("low_95", "low_80", "value", "high_80", "high_95")
        )
        assert low < inner < value < outer < high
    assert 9_000 < int(said["points"][0]["value"]) < 11_000
    assert said["back_test"]["origins"] == 6
    assert Decimal(said["back_test"]["smape"]) > 0
    again = await foretell(desk, **asked)
    assert {**again, "freshness": None} == {**said, "freshness": None}
    quantity = await foretell(desk, measure="quantity_received", item_id=item, as_of=as_of)
    assert {each["value"] for each in quantity["history"]} == {"2.5"}
    assert (quantity["points"][0]["value"], quantity["currency"]) == ("2.5", None)
    earlier = await foretell(desk, **{**asked, "as_of": date(2026, 6, 15)})
    assert [int(each["value"]) for each in earlier["history"]] == values[:5]
    assert (earlier["method"], earlier["weights"]) == ("naive", None)


async def test_a_short_history_is_told_and_nothing_is_made_up(desk: Desk) -> None:
    goods = Goods(desk)
    asked: dict[str, Any] = {"measure": "spend", "as_of": date(2026, 10, 20)}
    nothing = await foretell(desk, **asked)
    told = ("method", "history", "points", "back_test", "currency")
    assert [nothing[name] for name in told] == ["none", [], [], None, None]
    for month in (8, 9):
        await goods.receive(uuid7(), uuid7(), 10, midnight(date(2026, month, 3)))
    short = await foretell(desk, **asked)
    assert (short["method"], len(short["history"]), short["points"], short["back_test"]) == ("none", 2, [], None)


async def test_what_cannot_be_forecast_is_refused_by_its_field(desk: Desk) -> None:
    goods = Goods(desk)
    for currency in ("EUR", "JPY"):
        await goods.receive(uuid7(), uuid7(), 10, midnight(date(2026, 8, 3)), currency=currency)
    said: tuple[tuple[dict[str, Any], str], ...] = (
        ({"measure": "quantity_issued"}, "/item_id"),
        ({"measure": "orders", "currency": "EUR"}, "/currency"),
        ({"measure": "spend"}, "/currency"),
        ({"measure": "spend", "owner_id": uuid7()}, "/owner_id"),
        ({"measure": "revenue", "supplier_id": uuid7()}, "/supplier_id"),
        ({"measure": "spend", "horizon": 53}, "/horizon"),
        ({"measure": "luck"}, "/measure"),
    )
    for body, field in said:
        refused = await foretell(desk, 422, as_of=date(2026, 10, 20), **body)
        assert refused["errors"][0]["field"] == field, body
    assert (await foretell(desk, measure="spend", currency="JPY"))["currency"] == "JPY"


async def test_any_day_that_may_be_named_is_answered(desk: Desk) -> None:
    for as_of, interval in (("1900-01-01", "month"), ("1904-02-29", "week"), ("2199-12-31", "month")):
        said = await foretell(desk, measure="orders", as_of=as_of, interval=interval, horizon=52)
        assert said["method"] == "none"


async def test_spend_is_nobodys_own_and_orders_are_forecast_by_their_owners(desk: Desk) -> None:
    await Goods(desk).receive(uuid7(), uuid7(), 10)
    await sell(desk, 1, 100, desk.bo)
    await sell(desk, 2, 50, desk.di)
    bo = desk.h.client_as("reports:read:own", user=desk.bo)
    assert (await desk.ask(SPEND, **AUTUMN, client=bo))["rows"] == []
    assert (await desk.ask(f"{SPEND}/records", **AUTUMN, client=bo))["items"] == []
    asked: dict[str, Any] = {"measure": "order_net", "as_of": date(2026, 12, 5)}
    assert (await foretell(desk, client=bo, **asked))["history"][0]["value"] == "100"
    assert (await foretell(desk, **asked))["history"][0]["value"] == "150"
    assert (await foretell(desk, **{**asked, "measure": "spend"}, client=bo))["history"] == []
    stranger = desk.h.client_as("orders:read", user=desk.bo)
    await desk.ask(SPEND, 403, client=stranger)
    await foretell(desk, 403, client=stranger, **asked)


async def test_too_long_an_answer_is_refused(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    goods = Goods(desk)
    for _ in range(3):
        await goods.receive(uuid7(), uuid7(), 10)
    monkeypatch.setattr(figures, "MOST_ROWS", 2)
    refused = await desk.ask(SPEND, 422, **AUTUMN, by="item")
    assert refused["type"].endswith(":too-many-rows")


async def test_a_row_names_where_its_entry_of_the_ledger_is_read(desk: Desk) -> None:
    item, place = uuid7(), uuid7()
    await Goods(desk).receive(item, place, 10)
    (row,) = (await desk.ask(f"{SPEND}/records", **AUTUMN))["items"]
    moment = NOON.astimezone(UTC).isoformat().replace("+00:00", "")
    assert row["path"].startswith(f"/v1/inventory/movements?item_id={item}&warehouse_id={place}&")
    assert moment.replace(":", "%3A") in row["path"]


async def test_deliveries_that_leave_name_no_supplier(desk: Desk) -> None:
    goods = Goods(desk)
    sent = await goods.announce("Ada Works", outbound=True)
    await goods.receive(uuid7(), uuid7(), 10, asn_id=sent)
    (row,) = (await desk.ask(SPEND, **AUTUMN, by="supplier"))["rows"]
    assert (row["key"], row["supplier_name"]) == (None, None)
    (record,) = await desk.every(row["received"]["records"])
    assert record["amount"] == 10
