"""KPIs: definitions that hold together, scorecards over the same rows as reports, and what is recorded of a period, once for each change."""

from datetime import UTC, datetime, timedelta
from typing import Any

from selling_desk import Desk, sell

from contracts import activities, users
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
    told = [each.event for each in await desk.h.published("epm.kpi.updated")]
    return [(str(one.begins_on), one.value, one.state, one.previous_state, one.over) for one in told]


async def test_a_scorecard_goes_period_by_period_as_of_any_day(desk: Desk) -> None:
    kpi = await define(desk)
    await sell(desk, 1, 150, desk.bo)
    await sell(desk, 2, 100, desk.di)
    await sell(desk, 3, 9_000, desk.di, "JPY")

    async def card(**query: Any) -> list[Any]:
        said = {"from_": "2026-09-15", "until": "2026-11-01", **query}
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
    rate = {"measure": "tasks_on_time_rate", "currency": None, "target": "0.5", "near": "0.4"}
    kpi = await define(desk, **rate)
    fewer = await define(desk, code="F", **{**rate, "direction": "down", "near": "0.9"})

    async def state(one: Any) -> tuple[str | None, str]:
        said = {"from_": "2026-10-01", "until": "2026-11-01"}
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
