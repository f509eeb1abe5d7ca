"""KPIs: definitions that hold together, scorecards over the same rows as reports, and what is recorded of a period, once for each change."""

from datetime import UTC, datetime, timedelta
from typing import Any

from selling_desk import NOON, Desk, sell

from contracts import activities, orders, users
from contracts.analytics import KpiUpdated
from tailrace.core.ids import uuid7
from tailrace_testing import SetClock

KPIS = "/v1/kpis"
NET = {
    "code": "NET",
    "name": "Net",
    "measure": "order_net_confirmed",
    "currency": "EUR",
    "period": "month",
    "target": "300",
    "near": "200",
}


async def define(desk: Desk, status: int = 201, **given: Any) -> Any:
    answer = await desk.h.client.post(KPIS, json={**NET, **given})
    assert answer.status_code == status, answer.text
    return answer.json()


async def results(desk: Desk) -> list[Any]:
    told = [each.event for each in await desk.h.published(KpiUpdated)]
    return [(str(one.begins_on), one.value, one.state, one.previous_state, one.over) for one in told]


async def test_a_scorecard_goes_period_by_period_as_of_any_day(desk: Desk) -> None:
    kpi = await define(desk)
    await sell(desk, 1, 150, desk.bo)
    await sell(desk, 2, 100, desk.di)
    await sell(desk, 3, 9_000, desk.di, "JPY")

    async def card(**query: Any) -> list[Any]:
        said: dict[str, Any] = {"from_": "2026-09-15", "until": "2026-11-01", **query}
        scores = (await desk.ask(f"{KPIS}/{kpi['id']}/scorecard", **said))["scores"]
        return [(one["begins_on"], one["ends_on"], one["value"], one["state"], one["over"]) for one in scores]

    september = ("2026-09-01", "2026-09-30", "0", "missed", True)
    assert await card() == [september, ("2026-10-01", "2026-10-31", "250", "near", True)]
    assert await card(as_of="2026-10-09") == [september, ("2026-10-01", "2026-10-31", "0", "missed", False)]
    of_bo = await define(desk, code="BO", subject="person", subject_id=str(desk.bo), target="150", near="100")
    of_north = await define(desk, code="NORTH", subject="team", subject_id=str(desk.north), target="151", near="100")
    for one, state in ((of_bo, "met"), (of_north, "near")):
        (score,) = (await desk.ask(f"{KPIS}/{one['id']}/scorecard", from_="2026-10-01", until="2026-11-01"))["scores"]
        assert (score["value"], score["state"]) == ("150", state)
    assert len((await desk.ask(f"{KPIS}/{kpi['id']}/scorecard"))["scores"]) == 12


async def test_a_share_has_no_value_while_nothing_ended_and_less_may_be_better(desk: Desk) -> None:
    rate: dict[str, Any] = {"measure": "tasks_on_time_rate", "currency": None, "target": "0.5", "near": "0.4"}
    kpi = await define(desk, **rate)
    fewer = await define(desk, code="F", **{**rate, "direction": "down", "near": "0.9"})

    async def state(one: Any) -> tuple[str | None, str]:
        said: dict[str, Any] = {"from_": "2026-10-01", "until": "2026-11-01"}
        (score,) = (await desk.ask(f"{KPIS}/{one['id']}/scorecard", **said))["scores"]
        return score["value"], score["state"]

    assert await state(kpi) == (None, "none")
    for late in (0, 0, 1):
        at = datetime(2026, 10, 10, tzinfo=UTC)
        task = {"task_id": uuid7(), "title": "T", "user_id": desk.bo}
        due = at + timedelta(days=1)
        made = activities.TaskCreated(**task, status="open", priority="low", time_zone="Etc/UTC", due_at=due)
        await desk.h.deliver(made, aggregate_id=made.task_id, time=at)
        done = activities.TaskCompleted(**task, completed_at=at + timedelta(days=2 * late))
        await desk.h.deliver(done, aggregate_id=made.task_id, time=at + timedelta(days=2 * late))
    assert await state(kpi) == ("0.666667", "met")
    assert await state(fewer) == ("0.666667", "near")


async def test_definitions_that_do_not_hold_together_are_refused(desk: Desk) -> None:
    for given, field in (
        ({"currency": None}, "/currency"),
        ({"measure": "tasks_completed"}, "/currency"),
        ({"subject": "person"}, "/subject_id"),
        ({"subject_id": str(desk.bo)}, "/subject_id"),
        ({"near": "301"}, "/near"),
        ({"valid_from": "2199-01-01"}, "/valid_from"),
        ({"direction": "down"}, "/near"),
    ):
        refused = await define(desk, 422, **given)
        assert refused["errors"][0]["field"] == field, given
    await define(desk, 409, subject="team", subject_id=str(uuid7()))
    await desk.h.deliver(users.UserDeleted(user_id=desk.di), aggregate_id=desk.di)
    await define(desk, 422, subject="person", subject_id=str(desk.di))


async def test_what_a_period_came_to_is_recorded_once_for_each_change(desk: Desk, clock: SetClock) -> None:
    kpi = await define(desk)
    clock("2026-10-20T00:00:00Z")
    at = f"{KPIS}/{kpi['id']}/measure"
    first = (await desk.h.client.post(at)).json()
    assert (first["begins_on"], first["value"], first["state"]) == ("2026-10-01", "0", "missed")
    assert await results(desk) == [("2026-09-01", 0, "missed", None, True), ("2026-10-01", 0, "missed", None, False)]
    await desk.h.client.post(at)
    assert len(await results(desk)) == 2
    await sell(desk, 1, 300, desk.bo)
    await desk.h.client.post(at)
    assert (await results(desk))[2:] == [("2026-10-01", 300, "met", "missed", False)]
    clock("2026-11-02T00:00:00Z")
    await desk.h.client.post(at)
    assert (await results(desk))[3:] == [
        ("2026-10-01", 300, "met", "met", True),
        ("2026-11-01", 0, "missed", None, False),
    ]
    listed = (await desk.ask(f"{KPIS}/{kpi['id']}/results", sort="begins_on"))["items"]
    assert [one["begins_on"] for one in listed] == ["2026-09-01", "2026-10-01", "2026-11-01"]


async def test_each_night_the_day_that_ended_is_measured(desk: Desk, clock: SetClock) -> None:
    clock("2026-10-10T12:00:00Z")
    joined = users.TenantCreated(
        tenant_id=desk.h.tenant, slug="acme", name="Acme", currency="EUR", time_zone="Asia/Tokyo"
    )
    await desk.h.deliver(joined, aggregate_id=desk.h.tenant)
    await define(desk, period="day")
    await desk.h.fire_timers()
    await sell(desk, 1, 250, desk.bo)
    # 00:15 in Tokyo.
    clock("2026-10-10T15:15:30Z")
    await desk.h.make_timers_due()
    await desk.h.fire_timers()
    assert await results(desk) == [("2026-10-09", 0, "missed", None, True), ("2026-10-10", 250, "near", None, True)]


async def test_somebody_who_is_gone_is_measured_to_the_end_of_what_was_begun(desk: Desk, clock: SetClock) -> None:
    clock("2026-10-10T12:00:00Z")
    joined = users.TenantCreated(
        tenant_id=desk.h.tenant, slug="acme", name="Acme", currency="EUR", time_zone="Asia/Tokyo"
    )
    await desk.h.deliver(joined, aggregate_id=desk.h.tenant)
    await define(desk, subject="person", subject_id=str(desk.bo))

    async def night(moment: str) -> None:
        clock(moment)
        await desk.h.make_timers_due()
        await desk.h.fire_timers()

    await desk.h.fire_timers()
    await night("2026-10-10T15:15:30Z")
    await sell(desk, 1, 250, desk.bo)
    await desk.h.deliver(users.UserDeleted(user_id=desk.bo), aggregate_id=desk.bo)
    await night("2026-10-11T15:15:30Z")
    await night("2026-11-02T15:15:30Z")
    assert [one for one in await results(desk) if one[0] >= "2026-10-01"] == [
        ("2026-10-01", 0, "missed", None, False),
        ("2026-10-01", 250, "near", "missed", False),
        ("2026-10-01", 250, "near", "near", True),
    ]


async def test_days_that_ended_while_nothing_ran_are_measured_each(desk: Desk, clock: SetClock) -> None:
    clock("2026-10-10T12:00:00Z")
    joined = users.TenantCreated(
        tenant_id=desk.h.tenant, slug="acme", name="Acme", currency="EUR", time_zone="Asia/Tokyo"
    )
    await desk.h.deliver(joined, aggregate_id=desk.h.tenant)
    kpi = await define(desk, period="day")
    await desk.h.fire_timers()
    await sell(desk, 1, 250, desk.bo)
    clock("2026-10-12T15:15:30Z")
    # What somebody saw meanwhile is not taken back by the days before that.
    await desk.h.client.post(f"{KPIS}/{kpi['id']}/measure")
    await desk.h.make_timers_due()
    await desk.h.fire_timers()
    assert sorted((begins, value) for begins, value, *_ in await results(desk)) == [
        ("2026-10-09", 0),
        ("2026-10-10", 250),
        ("2026-10-11", 0),
        ("2026-10-12", 0),
        ("2026-10-13", 0),
    ]


async def test_who_sees_only_some_rows_sees_the_kpis_of_these_people_and_of_their_teams(desk: Desk) -> None:
    mixed = uuid7()
    await desk.form(mixed, desk.cy, desk.di, at=datetime(2026, 9, 2, tzinfo=UTC))
    kpis = {"NET": (await define(desk))["id"]}
    for code, subject, id in (
        ("BO", "person", desk.bo),
        ("CY", "person", desk.cy),
        ("DI", "person", desk.di),
        ("NORTH", "team", desk.north),
        ("SOUTH", "team", desk.south),
        ("MIXED", "team", mixed),
    ):
        kpis[code] = (await define(desk, code=code, subject=subject, subject_id=str(id)))["id"]
    await sell(desk, 1, 150, desk.bo)
    await sell(desk, 2, 100, desk.cy)
    days: dict[str, Any] = {"from_": "2026-10-01", "until": "2026-11-01"}
    for reach, user, seen in (
        ("own", desk.bo, {"BO", "NORTH"}),
        ("team", desk.bo, {"BO", "CY", "NORTH"}),
        ("own", desk.di, {"DI", "SOUTH", "MIXED"}),
        ("team", uuid7(), set()),
    ):
        client = desk.h.client_as(f"kpis:read:{reach}", user=user)
        assert {one["code"] for one in (await desk.ask(KPIS, client=client))["items"]} == seen
        for code, id in kpis.items():
            for what in ("", "/scorecard", "/targets", "/results", "/records"):
                await desk.ask(f"{KPIS}/{id}{what}", 200 if code in seen else 404, client=client)
    own, team = (desk.h.client_as(f"kpis:read:{reach}", user=desk.bo) for reach in ("own", "team"))
    for client, reached in ((own, 1), (team, 2)):
        (score,) = (await desk.ask(f"{KPIS}/{kpis['NORTH']}/scorecard", client=client, **days))["scores"]
        assert score["value"] == "250", "a team's KPI is what it is, whoever looks"
        listed = await desk.ask(f"{KPIS}/{kpis['NORTH']}/records", client=client, **days)
        assert len(listed["items"]) == reached
        assert (score["records"] is None) == (client is own)


async def test_records_add_up_to_what_a_kpi_came_to_as_of_the_same_moment(desk: Desk, clock: SetClock) -> None:
    clock("2026-10-20T00:00:00Z")
    rate: dict[str, Any] = {"measure": "tasks_on_time_rate", "currency": None, "target": "0.5", "near": "0.4"}
    kpis = [await define(desk, **given) for given in ({}, {**rate, "code": "R"})]
    for number, net in enumerate((150, 100)):
        await sell(desk, number, net, desk.bo)
    for days in (0, 2):
        at = datetime(2026, 10, 10, tzinfo=UTC)
        task = {"task_id": uuid7(), "title": "T", "user_id": desk.bo}
        due = at + timedelta(days=1)
        made = activities.TaskCreated(**task, status="open", priority="low", time_zone="Etc/UTC", due_at=due)
        await desk.h.deliver(made, aggregate_id=made.task_id, time=at)
        done = activities.TaskCompleted(**task, completed_at=at + timedelta(days=days))
        await desk.h.deliver(done, aggregate_id=made.task_id, time=at + timedelta(days=days))
    said: dict[str, Any] = {"from_": "2026-10-01", "until": "2026-11-01"}
    cards = [(await desk.ask(f"{KPIS}/{kpi['id']}/scorecard", **said))["scores"][0] for kpi in kpis]
    clock("2026-10-21T00:00:00Z")
    late = {"order_id": uuid7(), "number": "SO-9", "customer_reference": "R", "customer_name": "Ada Works"}
    late |= {"currency": "EUR", "net": 7, "tax": 0, "lines": [], "ordered_at": NOON, "owner_id": desk.bo}
    at = datetime(2026, 10, 20, 12, tzinfo=UTC)
    for event in (orders.OrderCreated(**late), orders.OrderConfirmed(**late)):
        await desk.h.deliver(event, aggregate_id=event.order_id, time=at)
    won, share = [await desk.every(card["records"]) for card in cards]
    assert sum(row["amount"] for row in won) == int(cards[0]["value"]) == 250
    counted = [row for row in share if row["measure"] == "task_on_time"]
    assert (len(counted), len(share), cards[1]["value"]) == (1, 2, "0.5")
    (only,) = await desk.every(cards[1]["records"] + "&measure=task_late")
    assert only["measure"] == "task_late"
    stamped = await desk.ask(cards[0]["records"])
    assert stamped["freshness"].keys() >= {"complete_until", "set_aside", "topics"}
