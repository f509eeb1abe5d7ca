"""Closing periods and years: in order, when nothing waits, undone by reopening, and late events find their way."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from accounting_events import CODES, JANUARY, dispatched, issued, line, received

from contracts.accounting import PeriodClosed, PeriodReopened
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

V1 = "/v1/accounting"
Answer = dict[str, Any]


async def call(accounting: Harness, path: str, status: int = 200, **body: Any) -> Answer:
    answer = await accounting.client.post(f"{V1}/{path}", json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def period(accounting: Harness, first: str, last: str, status: int = 201) -> Answer:
    return await call(accounting, "periods", status, name=first[:7], first_day=first, last_day=last)


async def balances(accounting: Harness, **at: Any) -> dict[str, int]:
    answer = await accounting.client.get(f"{V1}/trial-balance", params=at)
    assert all(total["difference"] == 0 for total in answer.json()["totals"])
    return {row["account"]: row["balance"] for row in answer.json()["rows"] if row["balance"]}


async def journals(accounting: Harness, **query: Any) -> list[Answer]:
    return list((await accounting.client.get(f"{V1}/journals", params=query)).json()["items"])


async def told(accounting: Harness) -> list[str]:
    return [one.type.removeprefix("accounting.period.") for one in await accounting.published() if "period" in one.type]


@pytest.fixture
async def traded(accounting: Harness) -> Harness:
    """Bought for 500, sold what cost 300 for 1000 and 100 tax."""
    await accounting.deliver(received(500, reason="purchase"), aggregate_id=uuid7())
    await accounting.deliver(issued(300), aggregate_id=uuid7())
    await accounting.deliver(dispatched([line(1000, 100)]), aggregate_id=uuid7())
    return accounting


async def test_a_closed_period_locks_everything_up_to_its_last_day(traded: Harness) -> None:
    january = await period(traded, "2026-01-01", "2026-01-31")
    closed = await call(traded, f"periods/{january['id']}/close")
    assert (closed["locked"], closed["closed"], closed["year_end"], closed["version"]) == (True, True, False, 3)
    again = await call(traded, f"periods/{january['id']}/close")
    assert again == closed
    assert await told(traded) == ["opened", "locked", "closed"]
    await call(traded, f"periods/{january['id']}/close", 409, year_end=True)
    await call(traded, f"periods/{january['id']}/lock", 409)
    refused = await call(traded, f"periods/{january['id']}/unlock", 409, reason="x")
    assert "reopened" in refused["detail"]
    # An event of any day up to then is posted on the first open day and keeps the moment that it was meant for.
    await traded.deliver(received(7, effective_at=datetime(2019, 5, 4, tzinfo=UTC)), aggregate_id=uuid7())
    late = (await journals(traded, sort="-number"))[0]
    assert (late["effective_at"], late["source_effective_at"]) == ("2026-02-01T00:00:00Z", "2019-05-04T00:00:00Z")
    body = {"text": "x", "effective_at": "2025-12-31T12:00:00Z"}
    lines = [{"account": a, "currency": "EUR", **side} for a, side in (("6000", {"debit": 1}), ("1000", {"credit": 1}))]
    assert (await call(traded, "journals", 409, **body, lines=lines))["type"].endswith("period-locked")
    assert (await period(traded, "2025-12-01", "2025-12-31", 409))["type"].endswith("days-closed")
    found = (await traded.client.get(f"{V1}/periods", params={"closed": True})).json()["items"]
    assert [one["id"] for one in found] == [january["id"]]


async def test_periods_are_closed_in_order_when_over_and_when_nothing_waits(traded: Harness) -> None:
    january = await period(traded, "2026-01-01", "2026-01-31")
    february = await period(traded, "2026-02-01", "2026-02-28")
    refused = await call(traded, f"periods/{february['id']}/close", 409)
    assert (refused["type"], "2026-01" in refused["detail"]) == ("urn:tailrace:problem:not-ready-to-close", True)
    today = datetime.now(UTC).date()
    running = await period(traded, str(today), str(today + timedelta(days=9)))
    assert "has to be over" in (await call(traded, f"periods/{running['id']}/close", 409))["detail"]
    broken = await traded.deliver(received(5, currency="EUR"), aggregate_id=uuid7(), sequence=2, may_dead_letter=True)
    assert "could not be posted" in (await call(traded, f"periods/{january['id']}/close", 409))["detail"]
    await traded.admin.execute('DELETE FROM dead_letter WHERE "offset" = $1', broken.offset)
    await call(traded, f"periods/{january['id']}/close")
    await call(traded, f"periods/{february['id']}/close")
    assert (await call(traded, f"periods/{january['id']}/reopen", 409, reason="x"))["type"].endswith(
        "later-period-closed"
    )


async def test_a_year_ends_with_its_result_in_retained_earnings_and_can_be_reopened(traded: Harness) -> None:
    await traded.deliver(dispatched([line(40, 0)], currency="JPY"), aggregate_id=uuid7())
    later = datetime(2026, 2, 3, tzinfo=UTC)
    await traded.deliver(dispatched([line(9, 0)], dispatched_at=later), aggregate_id=uuid7())
    before = await balances(traded, currency="EUR")
    year = await period(traded, "2026-01-01", "2026-01-31")
    path = f"periods/{year['id']}"
    for attempt in (1, 2):
        await call(traded, f"{path}/close", year_end=True)
        assert await balances(traded, currency="EUR") == {
            CODES["unbilled_receivable"]: 1109,
            CODES["inventory"]: 200,
            CODES["goods_received_not_invoiced"]: -500,
            CODES["output_tax"]: -100,
            CODES["retained_earnings"]: -700,
            CODES["revenue"]: -9,
        }
        assert (await balances(traded, currency="JPY"))[CODES["retained_earnings"]] == -40
        assert await balances(traded, currency="EUR", closing=False) == before
        assert CODES["revenue"] not in await balances(traded, effective="2026-01-31", currency="EUR")
        closing = await journals(traded, rule="year-end@1", reversed=False)
        assert {one["effective_at"] for one in closing} == {"2026-01-31T23:59:59.999999Z"}
        by_hand = await call(traded, f"journals/{closing[0]['id']}/reverse", 409, reason="x")
        assert by_hand["type"] == "urn:tailrace:problem:belongs-to-period"
        reopened = await call(traded, f"{path}/reopen", reason=f"late bill {attempt}")
        assert (reopened["locked"], reopened["closed"], reopened["year_end"]) == (False, False, False)
        assert (
            await balances(traded, currency="EUR")
            == before
            == await balances(traded, currency="EUR", effective="2026-02-28")
        )
    assert await told(traded) == ["opened", *["locked", "closed", "reopened", "unlocked"] * 2]
    closed, *_ = await traded.published(PeriodClosed)
    undone, *_ = await traded.published(PeriodReopened)
    assert len(closed.event.closing_journals) == len(undone.event.reversals) == 2
    await call(traded, f"{path}/reopen", 409, reason="x")
    # What was locked is open again.
    await traded.deliver(received(3), aggregate_id=uuid7())
    assert (await journals(traded, sort="-number"))[0]["effective_at"] == JANUARY.isoformat().replace("+00:00", "Z")


async def test_a_year_without_a_result_closes_without_a_journal(accounting: Harness) -> None:
    await accounting.deliver(received(500), aggregate_id=uuid7())
    year = await period(accounting, "2026-01-01", "2026-01-31")
    await call(accounting, f"periods/{year['id']}/lock")
    assert (await call(accounting, f"periods/{year['id']}/close", year_end=True))["year_end"]
    assert len(await journals(accounting)) == 1


async def test_a_year_ends_in_the_account_that_has_the_role_on_its_last_day(traded: Harness) -> None:
    await call(traded, "accounts", 201, code="3110", name="Carried forward", kind="equity")
    await call(traded, "chart/roles", since="2026-02-01", roles=[{"role": "retained_earnings", "account": "3110"}])
    later = datetime(2026, 2, 3, tzinfo=UTC)
    await traded.deliver(dispatched([line(9, 0)], dispatched_at=later), aggregate_id=uuid7())
    for first, last in (("2026-01-01", "2026-01-31"), ("2026-02-01", "2026-02-28")):
        await call(traded, f"periods/{(await period(traded, first, last))['id']}/close", year_end=True)
    found = await balances(traded)
    assert (found[CODES["retained_earnings"]], found["3110"]) == (-700, -9)


async def test_closing_is_a_right_of_its_own(traded: Harness) -> None:
    year = await period(traded, "2026-01-01", "2026-01-31")
    writer = traded.client_as("accounting:read accounting:write")
    for verb, body in (("close", {}), ("reopen", {"reason": "x"})):
        assert (await writer.post(f"{V1}/periods/{year['id']}/{verb}", json=body)).status_code == 403
        assert (await traded.client.post(f"{V1}/periods/{uuid7()}/{verb}", json=body)).status_code == 404
    closer = traded.client_as("accounting:close")
    stale = await closer.post(f"{V1}/periods/{year['id']}/close", headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    assert (await closer.post(f"{V1}/periods/{year['id']}/close")).status_code == 200


async def test_a_year_of_more_than_a_line_holds_is_closed_in_parts(accounting: Harness) -> None:
    most = 10**15
    january = await period(accounting, "2026-01-01", "2026-01-31")
    for amount in (most, most, 7):
        lines = [
            {"account": account, "currency": "EUR", **side}
            for account, side in (("1000", {"debit": amount}), ("4000", {"credit": amount}))
        ]
        await call(accounting, "journals", 201, text="x", effective_at="2026-01-15T12:00:00Z", lines=lines)
    exact = 2 * most + 7
    assert await balances(accounting) == {"1000": exact, "4000": -exact}
    await call(accounting, f"periods/{january['id']}/close", year_end=True)
    after = await balances(accounting)
    assert (after.pop("1000"), "4000" in after) == (exact, False)
    assert list(after.values()) == [-exact], "all of it is retained"
    (journal,) = await journals(accounting, rule="year-end@1")
    lines = (await accounting.client.get(f"{V1}/journals/{journal['id']}")).json()["lines"]
    assert [each["debit"] or -each["credit"] for each in lines] == [most, most, 7, -most, -most, -7]
    await call(accounting, f"periods/{january['id']}/reopen", reason="once more")
    assert await balances(accounting) == {"1000": exact, "4000": -exact}


async def test_a_report_waits_for_what_accounting_hears_of_itself(
    accounting: Harness, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it posts of its own documents comes by its own events, so they are waited for; of a journal alone that takes no longer than its mark."""
    monkeypatch.setattr("tailrace.http.read_your_writes.LONGEST", 0.2)
    lines = [
        {"account": "1000", "currency": "EUR", "debit": 100},
        {"account": "6000", "currency": "EUR", "credit": 100},
    ]
    body = {"text": "Cash", "effective_at": "2026-01-20T12:00:00Z", "lines": lines}
    posted = await accounting.client.post(f"{V1}/journals", json=body)
    assert posted.status_code == 201, posted.text
    after = {"Tailrace-After": posted.headers["tailrace-event"]}
    journal = await accounting.client.get(f"{V1}/journals/{posted.json()['id']}", headers=after)
    assert journal.status_code == 200, "shown as the command wrote it"
    early = await accounting.client.get(f"{V1}/trial-balance", headers=after)
    assert (early.status_code, early.json()["type"]) == (503, "urn:tailrace:problem:not-yet-consistent")
    await accounting.pump()
    shown = await accounting.client.get(f"{V1}/trial-balance", headers=after)
    assert {row["account"]: row["balance"] for row in shown.json()["rows"]} == {"1000": 100, "6000": -100}
