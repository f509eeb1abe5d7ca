"""Reports as clients meet them: figures and their records, who sees what, days, corrections, freshness, and rows that are built again."""

import random
from datetime import UTC, date, datetime, timedelta
from typing import Any
from xml.etree import ElementTree

import asyncpg
import pytest
from goods_told import Goods
from kafka_seen import Looked
from selling_desk import NOON, Desk, order_said, sell

from analytics.freshness import PUBLISHERS, topics_heard
from analytics.projections import movements
from analytics.service import service
from contracts import activities, orders, users
from tailrace.capture.canary import Arrival
from tailrace.capture.freshness import LONGEST, Reading, reading_of
from tailrace.core.ids import uuid7
from tailrace.db.database import Database
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.rebuild import shadow_schema

SALES = "/v1/reports/sales-summary"
OCTOBER: dict[str, Any] = {"from_": date(2026, 10, 1), "until": date(2026, 11, 1)}
ASKED = {"from": "2026-10-01", "until": "2026-11-01"}


async def test_the_records_behind_each_figure_add_up_to_it(desk: Desk) -> None:
    people = [desk.bo, desk.cy, desk.di, None]
    for number in range(12):
        await sell(desk, number, 100 + number, people[number % 4], ["EUR", "JPY"][number % 2])
    looked_at = 0
    for by in ("company", "person", "team", "customer"):
        for row in (await desk.ask(SALES, **OCTOBER, by=by, interval="week"))["rows"]:
            for name in ("placed", "confirmed", "cancelled"):
                figure = row[name]
                records = await desk.every(figure["records"])
                assert sum(one["count"] for one in records) == figure["count"], (by, row["key"], name)
                assert sum(one["amount"] for one in records) == figure["amount"]
                assert {one["currency"] for one in records} <= {row["currency"]}
                looked_at += len(records)
    # Two measures, twelve orders, four ways to tell them apart.
    assert looked_at == 2 * 12 * 4
    record = (await desk.every(f"{SALES}/records?measure=order_confirmed&from=2026-10-01&until=2026-11-01"))[0]
    assert record["path"] == f"/v1/orders/{record['document_id']}"
    assert (record["document_number"], record["at"], record["known_at"]) == (
        "SO-0",
        "2026-10-10T04:00:00Z",
        "2026-10-10T04:00:00Z",
    )


async def test_a_chart_has_a_bar_for_each_part_and_currency(desk: Desk) -> None:
    await sell(desk, 1, 123_456, desk.bo)
    await sell(desk, 2, 7_000, desk.bo, "JPY")
    asked = {"from": "2026-09-01", "until": "2026-11-01", "interval": "month"}
    answer = await desk.h.client.get(f"{SALES}.svg", params=asked)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    drawn = ElementTree.fromstring(answer.text)
    bars = [each.findtext("{*}title") for each in drawn.iter("{http://www.w3.org/2000/svg}rect") if len(each)]
    assert bars == ["2026-10-01 to 2026-10-31: 1,234.56 EUR", "2026-10-01 to 2026-10-31: 7,000 JPY"]


async def test_a_chart_is_read_in_japanese_too_and_nothing_leaves_it(desk: Desk) -> None:
    await sell(desk, 1, 10**13, desk.bo, "JPY")
    answer = await desk.h.client.get(f"{SALES}.svg", params={**ASKED, "language": "ja"})
    drawn = ElementTree.fromstring(answer.text)
    said = [each.text or "" for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert said[:1] == ["売上：確定した受注"] and said[1].startswith("月別 2026-10-01～2026-10-31（")
    assert said[-1] == "どの時点までの内容が反映されているかは、現在確認できません。"
    (figure,) = [each for each in drawn.iter("{http://www.w3.org/2000/svg}text") if each.text == "10,000,000,000,000"]
    # It ends where it is placed, and so begins its own length before.
    assert float(figure.attrib["x"]) > 18 * 5.6 + 10
    long = {"key": "net", "title": "受注" * 60, "measure": "order_net_confirmed", "currency": "EUR"}
    made = await desk.h.client.post("/v1/analytics/dashboards", json={"code": "D", "name": "D", "tiles": [long]})
    at = f"/v1/analytics/dashboards/{made.json()['id']}/figures/net.svg"
    tile = ElementTree.fromstring((await desk.h.client.get(at, params={"language": "ja"})).text)
    title, _, empty, _ = [each.text or "" for each in tile.iter("{http://www.w3.org/2000/svg}text")]
    assert title.endswith("…") and len(title) * 16 <= 720 - 32
    assert (tile.findtext("{*}title"), empty) == (long["title"], "該当するものはありません。")


async def test_amounts_of_two_currencies_are_never_added(desk: Desk) -> None:
    await sell(desk, 1, 100, desk.bo)
    await sell(desk, 2, 7_000, desk.bo, "JPY")
    rows = (await desk.ask(SALES, **OCTOBER, by="person"))["rows"]
    assert [(row["currency"], row["confirmed"]["amount"]) for row in rows] == [("EUR", 100), ("JPY", 7_000)]
    (only,) = (await desk.ask(SALES, **OCTOBER, currency="JPY"))["rows"]
    assert (only["currency"], only["confirmed"]["count"]) == ("JPY", 1)


async def test_a_team_that_was_dissolved_and_is_there_again_counts_from_then_on(desk: Desk) -> None:
    await sell(desk, 1, 100, desk.bo)

    async def counted() -> dict[str | None, int]:
        rows = (await desk.ask(SALES, by="team", **OCTOBER))["rows"]
        return {row["key"]: row["confirmed"]["amount"] for row in rows}

    assert await counted() == {str(desk.north): 100}
    await desk.h.deliver(users.TeamDeleted(team_id=desk.north), aggregate_id=desk.north)
    assert await counted() == {None: 100}
    back = users.TeamRestored(team_id=desk.north, name="Sales", member_ids=[desk.bo])
    await desk.h.deliver(back, aggregate_id=desk.north)
    assert await counted() == {str(desk.north): 100}


async def test_a_seller_sees_their_own_and_a_teams_reach_its_people(desk: Desk) -> None:
    for number, owner in enumerate((desk.bo, desk.cy, desk.di, None)):
        await sell(desk, number, 10**number, owner)

    async def seen(scopes: str) -> tuple[int, int]:
        client = desk.h.client_as(scopes, user=desk.bo)
        rows = (await desk.ask(SALES, client=client, **OCTOBER))["rows"]
        link = f"{SALES}/records?measure=order_confirmed&from=2026-10-01&until=2026-11-01"
        records = (await desk.ask(link, client=client))["items"]
        assert sum(one["amount"] for one in records) == sum(row["confirmed"]["amount"] for row in rows)
        return sum(row["confirmed"]["amount"] for row in rows), len(records)

    assert await seen("reports:read:own") == (1, 1)
    assert await seen("reports:read:team") == (11, 2)
    assert await seen("reports:read") == (1111, 4)
    asked = await desk.ask(
        SALES, client=desk.h.client_as("reports:read:own", user=desk.bo), owner_id=desk.di, **OCTOBER
    )
    assert asked["rows"] == []


async def test_a_correction_counts_in_its_day_and_is_not_known_before(desk: Desk) -> None:
    said = await sell(desk, 1, 100, desk.bo)
    id = said["order_id"]
    cancelled = datetime(2026, 10, 12, 14, 59, 59, tzinfo=UTC)
    await desk.h.deliver(orders.OrderCancelled(order_id=id, reason="no"), aggregate_id=id, time=cancelled)
    back = orders.OrderReinstated(order_id=id, reason="left")
    await desk.h.deliver(back, aggregate_id=id, time=cancelled + timedelta(seconds=1))

    async def known(as_of: str) -> list[Any]:
        rows = (await desk.ask(SALES, **OCTOBER, interval="day", as_of=as_of))["rows"]
        return [(row["begins_on"], row["confirmed"]["count"], row["cancelled"]["count"]) for row in rows]

    # In Tokyo the twelfth ends one second after the cancellation: that is when it was undone.
    assert await known("2026-10-09") == []
    assert await known("2026-10-11") == [("2026-10-10", 1, 0)]
    assert await known("2026-10-12") == [("2026-10-10", 1, 0), ("2026-10-12", 0, 1)]
    assert await known("2026-10-13") == [("2026-10-10", 1, 0)]
    link = f"{SALES}/records?measure=order_cancelled&from=2026-10-01&until=2026-11-01"
    assert await desk.every(link) == []
    assert len(await desk.every(f"{link}&as_of=2026-10-12")) == 1


async def test_an_event_that_comes_late_counts_where_it_happened(desk: Desk) -> None:
    await sell(desk, 1, 100, desk.bo)
    (before,) = (await desk.ask(SALES, **OCTOBER, as_of="2026-10-10"))["rows"]
    assert before["confirmed"]["count"] == 1
    await sell(desk, 2, 50, desk.bo)
    (after,) = (await desk.ask(SALES, **OCTOBER, as_of="2026-10-10"))["rows"]
    assert (after["confirmed"]["count"], after["confirmed"]["amount"]) == (2, 150)


async def test_times_that_go_back_within_a_document_do_not_lose_rows(desk: Desk) -> None:
    """Two transactions that waited for one another may bear their times in the other order."""
    said = order_said(1, 100, desk.bo)
    id = said["order_id"]
    await desk.h.deliver(orders.OrderCreated(**said), aggregate_id=id, time=NOON)
    changed = orders.OrderChanged(**{**said, "net": 70})
    await desk.h.deliver(changed, aggregate_id=id, time=NOON - timedelta(milliseconds=5))
    (row,) = (await desk.ask(SALES, **OCTOBER, as_of="2026-10-10T03:00:00Z"))["rows"]
    assert (row["placed"]["count"], row["placed"]["amount"]) == (1, 70)
    assert (await desk.ask(SALES, **OCTOBER, as_of="2026-10-10T02:59:59.999Z"))["rows"] == []


async def test_tasks_are_overdue_from_the_end_of_their_day_in_their_own_zone(desk: Desk) -> None:
    task = {"task_id": uuid7(), "title": "Call", "user_id": desk.bo, "status": "open", "priority": "high"}
    due = {"due_on": date(2026, 10, 12), "time_zone": "America/New_York"}
    created = activities.TaskCreated(**task, **due)
    await desk.h.deliver(created, aggregate_id=created.task_id, time=NOON)

    async def standing(as_of: str) -> tuple[int, int]:
        (row,) = (await desk.ask("/v1/reports/task-completion", **OCTOBER, as_of=as_of))["standing"]
        return row["open"]["count"], row["overdue"]["count"]

    # New York is four hours behind UTC in October.
    assert await standing("2026-10-13T03:59:59Z") == (1, 0)
    assert await standing("2026-10-13T04:00:00Z") == (1, 1)
    done = activities.TaskCompleted(
        task_id=created.task_id, title="Call", user_id=desk.bo, completed_at=datetime(2026, 10, 13, 4, tzinfo=UTC)
    )
    await desk.h.deliver(done, aggregate_id=created.task_id, time=datetime(2026, 10, 13, 4, tzinfo=UTC))
    (row,) = (await desk.ask("/v1/reports/task-completion", **OCTOBER))["rows"]
    assert (row["completed"]["count"], row["on_time"]["count"], row["late"]["count"], row["on_time_rate"]) == (
        1,
        0,
        1,
        "0",
    )


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"from": "2026-10-02", "until": "2026-10-02"}, "until"),
        ({"from": "2020-01-01", "until": "2026-10-02", "interval": "day"}, "interval"),
    ],
)
async def test_days_that_make_no_report_are_refused(desk: Desk, query: dict[str, str], field: str) -> None:
    answer = await desk.h.client.get(SALES, params=query)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_stamp_names_the_newest_event_and_does_not_guess_without_kafka(desk: Desk) -> None:
    said = await sell(desk, 1, 100, desk.bo)
    stamp = (await desk.ask(SALES, **OCTOBER))["freshness"]
    assert (stamp["complete_until"], stamp["set_aside"]) == (None, 0)
    topics = {each["topic"]: each for each in stamp["topics"]}
    assert topics.keys() == topics_heard() == PUBLISHERS.keys()
    heard = topics["order.events"]
    assert (heard["type"], heard["committed_at"], heard["behind"]) == ("order.confirmed", "2026-10-10T04:00:00Z", None)
    assert heard["age_seconds"] > 30 * 86_400
    assert topics["quote.events"]["event_id"] is None
    gap = orders.OrderCancelled(order_id=said["order_id"], reason="no")
    await desk.h.deliver(gap, aggregate_id=said["order_id"], sequence=9, may_dead_letter=True)
    assert (await desk.ask(SALES, **OCTOBER))["freshness"]["set_aside"] == 1
    # Who was in which team is a part of every sum by team, and comes by another topic.
    team = users.TeamUpdated(team_id=desk.north, name="Sales", member_ids=[])
    await desk.h.deliver(team, aggregate_id=desk.north, sequence=99, may_dead_letter=True)
    stamp = (await desk.ask(SALES, **OCTOBER))["freshness"]
    assert (stamp["set_aside"], "user.events" in {each["topic"] for each in stamp["topics"]}) == (2, True)


async def test_pictures_and_lists_of_records_have_the_stamp_of_reports(desk: Desk) -> None:
    said = await sell(desk, 1, 100, desk.bo)
    tile = {"key": "net", "title": "Net", "measure": "order_net_confirmed", "currency": "EUR"}
    made = await desk.h.client.post("/v1/analytics/dashboards", json={"code": "D", "name": "D", "tiles": [tile]})
    tiles = f"/v1/analytics/dashboards/{made.json()['id']}/figures"
    records = [f"{SALES}/records", f"{tiles}/net/records", "/v1/analytics/spend/records"]
    pictures = [f"{SALES}.svg", f"{tiles}/net.svg"]
    until = NOON + timedelta(days=1, microseconds=7)

    async def pixels() -> list[bytes]:
        then = {"as_of": "2026-10-11"}
        return [(await desk.h.client.get(each.replace(".svg", ".png"), params=then)).content for each in pictures]

    drawn = []
    for moment, words in (
        (until, "Complete until 2026-10-11T03:00:00Z."),
        (None, "Until when it is complete cannot be told at the moment."),
    ):
        desk.h.app.state.watch = Looked(moment)
        stamps = [(await desk.ask(each))["freshness"] for each in (SALES, *records)]
        assert [each["complete_until"] for each in stamps] == [moment and "2026-10-11T03:00:00.000007Z"] * 4
        for each in pictures:
            assert f">{words}</text>" in (await desk.h.client.get(each)).text, each
        drawn.append(await pixels())
    assert all(one != other for one, other in zip(*drawn, strict=True)), "a PNG shows the line too"
    gap = orders.OrderCancelled(order_id=said["order_id"], reason="no")
    await desk.h.deliver(gap, aggregate_id=said["order_id"], sequence=9, may_dead_letter=True)
    for each in pictures:
        assert f">{words} Events set aside: 1.</text>" in (await desk.h.client.get(each)).text


def test_a_topic_is_complete_until_its_publishers_canary_or_the_first_event_unread() -> None:
    canary = Arrival(NOON, timedelta(seconds=1))
    earlier = NOON - timedelta(hours=1)
    assert reading_of(canary, {0: 5, 1: 0}, {0: 5}, {}) == Reading(0, NOON - LONGEST)
    assert reading_of(canary, {0: 5, 1: 3}, {0: 5, 1: 1}, {1: earlier}) == Reading(2, earlier - LONGEST)
    # What is unread may be younger than the canary.
    assert reading_of(canary, {0: 5}, {0: 4}, {0: NOON + timedelta(hours=1)}) == Reading(1, NOON - LONGEST)
    assert reading_of(None, {0: 5}, {0: 5}, {}) == Reading(0, None)
    assert reading_of(canary, {0: 5}, {}, {}) == Reading(5, None)


async def test_rows_that_are_built_again_are_the_same(desk: Desk) -> None:
    """In another order, each event alone, on connections that see nothing else."""
    for number in range(6):
        said = await sell(desk, number, 100 + number, desk.bo)
        if number % 2:
            gone = orders.OrderCancelled(order_id=said["order_id"], reason="no")
            await desk.h.deliver(gone, aggregate_id=said["order_id"], time=NOON + timedelta(days=2))
    goods = Goods(desk)
    delivery = await goods.announce("Acme Rods")
    for value in (10, 20):
        await goods.receive(uuid7(), uuid7(), value, asn_id=delivery)
    owner = await asyncpg.connect(desk.h.admin_url)
    await shadow_schema.create(owner, movements, "analytics_app")
    schema = shadow_schema.schema_of(movements)
    database = Database(desk.h.settings.database_url or "", service.name, pool=1, schema=schema)
    told = {"order.events", "inventory.events", "shipment.events"}
    records = [one for one in desk.h._records if one.topic in told]
    by_key: dict[Any, list[Any]] = {}
    for one in records:
        by_key.setdefault(one.key, []).append(one)
    lives = list(by_key.values())
    random.Random(3).shuffle(lives)
    try:
        dispatcher = Dispatcher(service.name, database, [movements])
        for life in lives:
            for record in life:
                await dispatcher.deliver([record])
        for table in ("movement", "document", "heard"):
            columns = "to_jsonb(t)::text"
            live = await desk.h.admin.fetch(f"SELECT {columns} AS row FROM {table} t ORDER BY 1")
            again = await owner.fetch(f'SELECT {columns} AS row FROM "{schema}".{table} t ORDER BY 1')
            assert [row["row"] for row in live] == [row["row"] for row in again]
            assert live
    finally:
        await database.close()
        await owner.close()


async def test_sums_beyond_64_bits_are_exact(desk: Desk) -> None:
    most, count = 10**15, 9_500
    await sell(desk, 1, most, desk.bo)
    columns = await desk.h.admin.fetch(
        "SELECT column_name::text AS name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = 'movement'"
    )
    own = {"id": "gen_random_uuid()", "document_id": "gen_random_uuid()", "customer_id": f"'{uuid7()}'::uuid"}
    into = ", ".join(f'"{each["name"]}"' for each in columns)
    values = ", ".join(own.get(each["name"], f'"{each["name"]}"') for each in columns)
    await desk.h.admin.execute(
        f"INSERT INTO movement ({into}) SELECT {values} FROM movement, generate_series(2, {count}) WHERE measure = 'order_confirmed'"
    )
    exact = most * count
    assert exact > 2**63
    (row,) = (await desk.ask(SALES, **OCTOBER))["rows"]
    assert (row["confirmed"]["count"], row["confirmed"]["amount"]) == (count, exact)
    assert f"{exact // 100:,}.00 EUR" in (await desk.h.client.get(f"{SALES}.svg", params=ASKED)).text
    stages = (await desk.ask("/v1/reports/funnel", **OCTOBER, start="order"))["stages"]
    assert stages[0]["amounts"] == [{"currency": "EUR", "amount": exact}]
    (cohort,) = (await desk.ask("/v1/reports/cohorts", **OCTOBER, interval="month"))["cohorts"]
    # The first one is of nobody who is known.
    assert cohort["parts"][0]["amounts"] == [{"currency": "EUR", "amount": exact - most}]
