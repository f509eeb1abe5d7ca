"""Targets of KPIs are dated: what is over stays judged by the target that held then, whatever is set later."""

import shutil
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from selling_desk import Desk, sell

from analytics.service import service
from contracts import users
from contracts.analytics import KpiChanged, KpiUpdated
from tailrace.core.ids import uuid7
from tailrace.runtime.migrate import migrations_of, prepare_database
from tailrace_testing import SetClock
from tailrace_testing.databases import Databases

from .test_kpis import KPIS, NET, define


async def change(desk: Desk, kpi: Any, status: int = 200, **given: Any) -> Any:
    answer = await desk.h.client.put(f"{KPIS}/{kpi['id']}", json={**NET, **given})
    assert answer.status_code == status, answer.text
    return answer.json()


async def card(desk: Desk, kpi: Any, **query: Any) -> list[Any]:
    said = {"from_": "2026-10-01", "until": "2027-01-01", **query}
    scores = (await desk.ask(f"{KPIS}/{kpi['id']}/scorecard", **said))["scores"]
    return [(one["begins_on"][:7], one["target"], one["state"]) for one in scores]


async def dated(desk: Desk, kpi: Any) -> list[Any]:
    items = (await desk.ask(f"{KPIS}/{kpi['id']}/targets"))["items"]
    return [(one["number"], one["valid_from"], one["target"], one["near"]) for one in items]


async def test_a_change_on_the_second_of_a_month_leaves_the_month_before_as_it_was(desk: Desk, clock: SetClock) -> None:
    clock("2026-10-05T00:00:00Z")
    kpi = await define(desk)
    at = f"{KPIS}/{kpi['id']}/measure"
    clock("2026-10-20T00:00:00Z")
    await sell(desk, 1, 300, desk.bo)
    clock("2026-11-01T01:00:00Z")
    await desk.h.client.post(at)
    results = f"{KPIS}/{kpi['id']}/results"
    (october,) = (await desk.ask(results, state="met"))["items"]
    assert (october["begins_on"], october["target"], october["over"]) == ("2026-10-01", "300", True)
    told = len(await desk.h.published(KpiUpdated))

    clock("2026-11-02T00:00:00Z")
    await change(desk, kpi, target="900", near="800")
    running = (await desk.h.client.post(at)).json()
    assert (running["begins_on"], running["target"], running["state"]) == ("2026-11-01", "900", "missed")
    assert (await desk.ask(results, state="met"))["items"] == [october]
    # Of November alone, whose target is another one.
    new = [each.event for each in (await desk.h.published(KpiUpdated))[told:]]
    assert [(str(one.begins_on), one.target) for one in new] == [("2026-11-01", Decimal(900))]
    assert await dated(desk, kpi) == [(1, "2026-10-01", "300", "200"), (2, "2026-11-01", "900", "800")]

    # Something of October that becomes known late is judged by October's target too.
    await sell(desk, 2, 100, desk.bo)
    await desk.h.client.post(at)
    (october,) = (await desk.ask(results, state="met"))["items"]
    assert (october["value"], october["target"], october["state"]) == ("400", "300", "met")


async def test_a_scorecard_judges_each_period_by_the_target_of_its_time(desk: Desk, clock: SetClock) -> None:
    clock("2026-10-05T00:00:00Z")
    kpi = await define(desk)
    await sell(desk, 1, 250, desk.bo)
    clock("2026-11-20T00:00:00Z")
    await change(desk, kpi, target="100", near="50")
    assert await card(desk, kpi) == [
        ("2026-10", "300", "near"),
        ("2026-11", "100", "missed"),
        ("2026-12", "100", "missed"),
    ]
    # As it was known on a day before, nobody had set the later one.
    assert (await card(desk, kpi, as_of="2026-11-10"))[1] == ("2026-11", "300", "missed")
    assert (await card(desk, kpi, as_of="2026-11-20"))[1] == ("2026-11", "100", "missed")
    # Before there was any, the first one is what there is.
    (before,) = await card(desk, kpi, from_="2026-09-01", until="2026-10-01", as_of="2026-09-30")
    assert before == ("2026-09", "300", "missed")


async def test_a_target_may_be_set_ahead_and_never_for_what_is_over(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-10T00:00:00Z")
    kpi = await define(desk)
    refused = await change(desk, kpi, 422, target="400", valid_from="2026-10-31")
    assert refused["errors"][0]["field"] == "/valid_from"
    await change(desk, kpi, target="400", valid_from="2026-11-25")
    (told,) = [each.event for each in await desk.h.published(KpiChanged)]
    assert (told.target, told.valid_from) == (Decimal(400), date(2026, 11, 25))
    assert await card(desk, kpi, from_="2026-11-01") == [("2026-11", "300", "missed"), ("2026-12", "400", "missed")]
    clock("2026-11-25T00:00:00Z")
    assert (await card(desk, kpi, from_="2026-11-01"))[0] == ("2026-11", "400", "missed")
    # Another name, and the same target once more, are no new target.
    await change(desk, kpi, name="Sales", target="400")
    await change(desk, kpi, name="Sales", target="400", valid_from="2026-11-25")
    assert [one[:2] for one in await dated(desk, kpi)] == [(1, "2026-11-01"), (2, "2026-11-25")]
    await change(desk, kpi, target="400", valid_from="2026-11-01")
    assert (await card(desk, kpi, from_="2026-11-01", as_of="2026-11-24"))[0] == ("2026-11", "300", "missed")
    clock("2026-12-05T00:00:00Z")
    assert (await card(desk, kpi, from_="2026-11-01"))[0] == ("2026-11", "400", "missed")
    assert len(await dated(desk, kpi)) == 3


async def test_a_deleted_kpi_comes_back_with_its_targets(desk: Desk, clock: SetClock) -> None:
    clock("2026-10-05T00:00:00Z")
    kpi = await define(desk)
    clock("2026-11-05T00:00:00Z")
    await change(desk, kpi, target="400")
    before = await dated(desk, kpi)
    assert (await desk.h.client.delete(f"{KPIS}/{kpi['id']}")).status_code == 204
    clock("2026-12-05T00:00:00Z")
    assert (await desk.h.client.post(f"{KPIS}/{kpi['id']}/restore")).status_code == 200
    assert await dated(desk, kpi) == before


async def test_targets_from_before_hold_from_the_periods_that_were_recorded_with_them(
    databases: Databases, tmp_path: Path
) -> None:
    name, folder = f"analytics_{uuid7().hex}", tmp_path / service.name
    folder.mkdir()
    shutil.copy(migrations_of(service) / "0001_analytics.py", folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TAILRACE_MIGRATIONS", str(tmp_path))
        await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    tenant, plain, measured = uuid7(), uuid7(), uuid7()
    # Half an hour into November in Tokyo.
    changed = datetime(2026, 10, 31, 15, 30, tzinfo=UTC)
    admin = await asyncpg.connect(databases.admin_url(name))
    await admin.execute("INSERT INTO time_zone VALUES ($1, '2026-01-01', 'Asia/Tokyo')", tenant)
    for id, code, direction in ((plain, "A", "down"), (measured, "B", "up")):
        await admin.execute(
            "INSERT INTO kpi (tenant_id, id, code, measure, currency, period, subject, target, near, direction, name, code_key,"
            " version, updated_at) VALUES ($1, $2, $3, 'quotes_sent', NULL, 'month', 'company', 400, 400, $4, 'K', $3, 1, $5)",
            tenant,
            id,
            code,
            direction,
            changed,
        )
    for month, target in ((8, 200), (9, 300), (10, 300)):
        await admin.execute(
            "INSERT INTO kpi_result (tenant_id, id, kpi_id, begins_on, ends_on, value, target, state, over, as_of, version)"
            " VALUES ($1, $2, $3, $4, $4, 0, $5, 'missed', true, $6, 1)",
            tenant,
            uuid7(),
            measured,
            date(2026, month, 1),
            target,
            changed,
        )
    await admin.close()
    await prepare_database(databases.admin_url("postgres"), service, databases.settings, name=name)
    admin = await asyncpg.connect(databases.admin_url(name))
    rows = await admin.fetch("SELECT kpi_id, number, valid_from, target, near FROM kpi_target ORDER BY kpi_id, number")
    forced = await admin.fetchval(
        "SELECT bool_and(relforcerowsecurity) FROM pg_class WHERE relname LIKE 'kpi%' AND relkind = 'r'"
    )
    await admin.close()
    await databases.drop(name)
    assert [tuple(row) for row in rows] == [
        (plain, 1, date(2026, 11, 1), 400, 400),
        (measured, 1, date(2026, 8, 1), 200, 200),
        (measured, 2, date(2026, 9, 1), 300, 300),
        (measured, 3, date(2026, 11, 1), 400, 400),
    ]
    assert forced


async def test_a_company_says_how_far_ahead_a_target_may_begin(desk: Desk, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    kpi = await define(desk)
    policy = users.TenantDatePolicyChanged(
        tenant_id=desk.h.tenant, bounds=[users.DateBounds(kind="target", days_ahead=4)]
    )
    await desk.h.deliver(policy, aggregate_id=desk.h.tenant)
    refused = await change(desk, kpi, 422, target="900", near="800", valid_from="2026-12-02")
    assert (refused["type"], refused["errors"][0]["field"]) == ("urn:tailrace:problem:implausible-date", "/valid_from")
    await change(desk, kpi, target="900", near="800", valid_from="2026-12-01")
    assert [row[1] for row in await dated(desk, kpi)][-1] == "2026-12-01"
