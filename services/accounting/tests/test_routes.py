"""The chart, periods, manual journals and reports over HTTP, with every refusal naming its field."""

import asyncio
import csv
import io
from typing import Any
from uuid import UUID

from accounting_events import CODES, JANUARY, dispatched, first_record, issued, line, received

from accounting import commands, posting
from accounting.bodies import NewJournal
from contracts.accounting import AccountRestored
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

V1 = "/v1/accounting"


def manual(*lines: tuple[str, str, int, int], **given: Any) -> dict[str, Any]:
    said = [{"account": a, "currency": c, "debit": d, "credit": k} for a, c, d, k in lines]
    return {"text": "Rent", "effective_at": "2026-01-20T12:00:00Z", "lines": said, **given}


RENT = manual(("6000", "EUR", 900, 0), ("1000", "EUR", 0, 900))


async def january(accounting: Harness, **given: Any) -> dict[str, Any]:
    body = {"name": "2026-01", "first_day": "2026-01-01", "last_day": "2026-01-31", **given}
    answer = await accounting.client.post(f"{V1}/periods", json=body)
    assert answer.status_code == 201, answer.text
    period: dict[str, Any] = answer.json()
    return period


async def waiting(accounting: Harness, sessions: int) -> None:
    """Return when so many sessions wait for a lock."""
    query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    async with asyncio.timeout(300):
        while await accounting.admin.fetchval(query) < sessions:
            continue


async def test_a_manual_journal_is_posted_once_per_key(accounting: Harness) -> None:
    answers = [
        await accounting.client.post(f"{V1}/journals", json=RENT, headers={"Idempotency-Key": "rent"}) for _ in range(2)
    ]
    assert answers[0].status_code == 201
    assert answers[0].headers["etag"] == '"1"'
    assert answers[0].json() == answers[1].json()
    assert len(await accounting.published("accounting.journal.posted")) == 1


async def test_an_unbalanced_journal_is_refused_with_field_and_difference(accounting: Harness) -> None:
    body = manual(("6000", "EUR", 900, 0), ("1000", "EUR", 0, 850), ("6000", "JPY", 5, 0), ("1000", "EUR", 0, 50))
    answer = await accounting.client.post(f"{V1}/journals", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"] == [{"field": "/lines", "detail": "JPY: debits are 5 too high, in minor units"}]
    # The refusal rolled back everything, the beginning of the books included.
    assert await accounting.published() == []


async def test_a_time_out_of_this_world_is_refused(accounting: Harness) -> None:
    for at in ("9999-12-31T23:59:59-05:00", "0001-01-01T00:00:00+05:00", "2026-01-01T00:00:00"):
        answer = await accounting.client.post(f"{V1}/journals", json={**RENT, "effective_at": at})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/effective_at")


async def test_bad_lines_are_named(accounting: Harness) -> None:
    for lines, field in (
        ([("6000", "EUR", 5, 0), ("9999", "EUR", 0, 5)], "/lines/1/account"),
        ([("6000", "EUR", 5, 5), ("1000", "EUR", 0, 5)], "/lines/0/debit"),
        ([("6000", "EUR", 0, 0), ("1000", "EUR", 0, 5)], "/lines/0/debit"),
        ([("6000", "EUR", -5, 0), ("1000", "EUR", 0, 5)], "/lines/0/debit"),
        # XXX is ISO 4217's code for "no currency": well-formed, and no money.
        ([("6000", "XXX", 5, 0), ("1000", "EUR", 0, 5)], "/lines/0/currency"),
        ([("6000", "EUR", 5, 0)], "/lines"),
    ):
        answer = await accounting.client.post(f"{V1}/journals", json=manual(*lines))
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, field)


async def test_a_locked_period_refuses_people_and_moves_what_comes_by_itself(accounting: Harness) -> None:
    period = await january(accounting)
    await january(accounting, name="2026-02", first_day="2026-02-01", last_day="2026-02-10")
    for page in (await accounting.client.get(f"{V1}/periods")).json()["items"]:
        locked = await accounting.client.post(f"{V1}/periods/{page['id']}/lock", headers={"If-Match": '"1"'})
        assert (locked.status_code, locked.json()["locked"], locked.headers["etag"]) == (200, True, '"2"')
    refused = await accounting.client.post(f"{V1}/journals", json=RENT)
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:period-locked")
    assert refused.json()["errors"][0]["field"] == "/effective_at"
    assert "2026-02-11" in refused.json()["detail"]
    await accounting.deliver(received(500), aggregate_id=uuid7())
    (journal,) = (await accounting.client.get(f"{V1}/journals")).json()["items"]
    assert journal["effective_at"] == "2026-02-11T00:00:00Z"
    assert journal["text"] == "Opening stock [of 2026-01-15T10:30:00+00:00, in a locked period]"
    again = await accounting.client.post(f"{V1}/periods/{period['id']}/lock")
    assert again.status_code == 409
    opened = await accounting.client.post(f"{V1}/periods/{period['id']}/unlock", json={"reason": "late bill"})
    assert (opened.json()["locked"], opened.json()["version"]) == (False, 3)
    assert (await accounting.client.post(f"{V1}/journals", json=RENT)).status_code == 201


async def test_a_reversal_in_a_locked_period(accounting: Harness) -> None:
    journal = (await accounting.client.post(f"{V1}/journals", json=RENT)).json()
    await accounting.client.post(f"{V1}/periods/{(await january(accounting))['id']}/lock")
    path = f"{V1}/journals/{journal['id']}/reverse"
    inside = await accounting.client.post(path, json={"reason": "x", "effective_at": "2026-01-31T23:59:59Z"})
    assert (inside.status_code, inside.json()["errors"][0]["field"]) == (409, "/effective_at")
    moved = await accounting.client.post(path, json={"reason": "x"})
    assert (moved.status_code, moved.json()["effective_at"]) == (201, "2026-02-01T00:00:00Z")


async def test_a_posting_that_waits_for_the_lock_of_its_period_sees_it(accounting: Harness) -> None:
    period = await january(accounting)
    async with accounting.tx() as tx:
        await commands.lock_period(tx, UUID(period["id"]), None)
        late = asyncio.create_task(accounting.client.post(f"{V1}/journals", json=RENT))
        automatic = asyncio.create_task(accounting.dispatcher.deliver([first_record(accounting, received(5))]))
        await waiting(accounting, 2)
    await automatic
    refused = await late
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:period-locked")
    (journal,) = (await accounting.client.get(f"{V1}/journals")).json()["items"]
    assert (journal["number"], journal["effective_at"]) == ("J-00000001", "2026-02-01T00:00:00Z")


async def test_a_period_is_locked_after_the_posting_that_is_under_way(accounting: Harness) -> None:
    period = await january(accounting)
    async with accounting.tx() as tx:
        await posting.post_manual(tx, "Rent", [line.line() for line in NewJournal(**RENT).lines], JANUARY)
        lock = asyncio.create_task(accounting.client.post(f"{V1}/periods/{period['id']}/lock"))
        await waiting(accounting, 1)
    assert (await lock).status_code == 200
    types = [one.type for one in await accounting.published()]
    assert types.index("accounting.journal.posted") < types.index("accounting.period.locked")


async def test_periods_do_not_overlap(accounting: Harness) -> None:
    await january(accounting)
    body = {"name": "x", "first_day": "2026-01-31", "last_day": "2026-02-28"}
    answer = await accounting.client.post(f"{V1}/periods", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (409, "/first_day")
    backwards = await accounting.client.post(f"{V1}/periods", json={**body, "last_day": "2026-01-01"})
    assert (backwards.status_code, backwards.json()["errors"][0]["field"]) == (422, "/last_day")
    endless = await accounting.client.post(f"{V1}/periods", json={**body, "last_day": "9999-12-31"})
    assert (endless.status_code, endless.json()["errors"][0]["field"]) == (422, "/last_day")
    for verb, body in (("lock", {}), ("unlock", {"reason": "x"})):
        assert (await accounting.client.post(f"{V1}/periods/{uuid7()}/{verb}", json=body)).status_code == 404


async def test_accounts(accounting: Harness) -> None:
    body = {"code": "6100", "name": "Travel", "kind": "expense"}
    made = await accounting.client.post(f"{V1}/accounts", json=body)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    path = f"{V1}/accounts/{made.json()['id']}"
    taken = await accounting.client.post(f"{V1}/accounts", json=body)
    assert (taken.status_code, taken.json()["errors"][0]["field"]) == (409, "/code")
    changed = await accounting.client.put(path, json={"name": "Trips", "active": False}, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.headers["etag"]) == ("Trips", '"2"')
    stale = await accounting.client.put(path, json={"name": "Trips"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    inactive = await accounting.client.post(f"{V1}/journals", json=manual(("6100", "EUR", 1, 0), ("1000", "EUR", 0, 1)))
    assert inactive.json()["errors"][0]["field"] == "/lines/0/account"
    assert (await accounting.client.delete(path)).status_code == 204
    assert (await accounting.client.get(path)).status_code == 404
    restored = await accounting.client.post(f"{path}/restore", headers={"If-Match": '"3"'})
    assert (restored.json()["name"], restored.headers["etag"]) == ("Trips", '"4"')
    (told,) = await accounting.published(AccountRestored)
    assert (told.event.code, told.event.active) == ("6100", False)
    await accounting.client.delete(path)
    deleted = (await accounting.client.get(f"{V1}/accounts", params={"deleted": True})).json()["items"]
    assert [one["code"] for one in deleted] == ["6100"]
    assert (await accounting.client.post(f"{V1}/accounts", json=body)).status_code == 201
    late = await accounting.client.post(f"{path}/restore")
    assert (late.status_code, late.json()["errors"][0]["field"]) == (409, "/code")
    codes = [one["code"] for one in (await accounting.client.get(f"{V1}/accounts?kind=expense")).json()["items"]]
    assert codes == sorted(codes)
    assert "6100" in codes


async def test_needed_accounts_stay(accounting: Harness) -> None:
    await accounting.client.post(f"{V1}/journals", json=RENT)
    accounts = {one["code"]: one["id"] for one in (await accounting.client.get(f"{V1}/accounts")).json()["items"]}
    for code in ("6000", CODES["revenue"]):
        assert (await accounting.client.delete(f"{V1}/accounts/{accounts[code]}")).status_code == 409
    off = await accounting.client.put(
        f"{V1}/accounts/{accounts[CODES['revenue']]}", json={"name": "Sales", "active": False}
    )
    assert off.status_code == 409


async def test_earlier_records_do_not_see_later_corrections(accounting: Harness) -> None:
    await accounting.deliver(received(500), aggregate_id=uuid7())
    before = (await accounting.client.get(f"{V1}/trial-balance")).json()
    then = {"recorded": before["recorded"], "effective": before["effective"]}
    journal = (await accounting.client.get(f"{V1}/journals")).json()["items"][0]
    await accounting.client.post(f"{V1}/journals/{journal['id']}/adjust", json={"reason": "never came"})
    await accounting.deliver(received(80), aggregate_id=uuid7())
    assert (await accounting.client.get(f"{V1}/trial-balance", params=then)).json() == before
    now = (await accounting.client.get(f"{V1}/trial-balance", params={"effective": "2026-01-31"})).json()
    assert {row["account"]: row["balance"] for row in now["rows"]} == {
        CODES["inventory"]: 80,
        CODES["opening_equity"]: -80,
    }
    assert now["totals"] == [{"currency": "EUR", "debit": 1080, "credit": 1080, "difference": 0}]
    early = (await accounting.client.get(f"{V1}/trial-balance", params={"effective": "2026-01-14"})).json()
    assert early["rows"] == []
    ledger = (
        await accounting.client.get(f"{V1}/ledger/{CODES['inventory']}", params={"recorded": then["recorded"]})
    ).json()
    assert [item["balance"] for item in ledger["items"]] == [500]


async def test_a_report_refuses_half_a_moment(accounting: Harness) -> None:
    for at in ("2026-01-01T00:00:00", "9999-12-31T23:59:59-05:00", "yesterday"):
        answer = await accounting.client.get(f"{V1}/trial-balance", params={"effective": at})
        assert answer.status_code == 422
        assert all(error["field"].startswith("effective") for error in answer.json()["errors"])


async def test_currencies_stand_apart(accounting: Harness) -> None:
    await accounting.deliver(received(500), aggregate_id=uuid7())
    await accounting.deliver(received(700, currency="JPY"), aggregate_id=uuid7())
    balance = (await accounting.client.get(f"{V1}/trial-balance", params={"currency": "JPY"})).json()
    assert {(row["currency"], row["balance"]) for row in balance["rows"]} == {("JPY", 700), ("JPY", -700)}
    ledger = (await accounting.client.get(f"{V1}/ledger/{CODES['inventory']}")).json()
    assert {(item["currency"], item["balance"]) for item in ledger["items"]} == {("EUR", 500), ("JPY", 700)}


async def test_the_ledger_pages_with_a_running_balance(accounting: Harness) -> None:
    for n in range(1, 8):
        at = f"2026-01-{n:02d}T00:00:00Z"
        body = manual(("1000", "EUR", n, 0), ("3000", "EUR", 0, n), effective_at=at)
        await accounting.client.post(f"{V1}/journals", json=body)
    params: dict[str, Any] = {"effective_from": "2026-01-02", "effective_to": "2026-01-06", "limit": 2}
    seen: list[tuple[int, int]] = []
    openings = []
    while True:
        page = (await accounting.client.get(f"{V1}/ledger/1000", params=params)).json()
        seen += [(item["debit"], item["balance"]) for item in page["items"]]
        openings.append(page["opening"][0]["balance"])
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == [(2, 3), (3, 6), (4, 10), (5, 15), (6, 21)]
    assert openings == [1, 6, 15]
    # As a file, all of it, whatever a page of it is.
    whole = {name: value for name, value in params.items() if name != "cursor"}
    file = await accounting.client.get(f"{V1}/ledger/1000", params=whole, headers={"Accept": "text/csv"})
    rows = list(csv.DictReader(io.StringIO(file.text.removeprefix("\ufeff"))))
    assert [(int(row["debit"]), int(row["balance"])) for row in rows] == seen
    assert (await accounting.client.get(f"{V1}/ledger/7777")).status_code == 404


async def test_journals_are_found_by_what_they_are_about(accounting: Harness) -> None:
    stock = uuid7()
    await accounting.deliver(received(500), aggregate_id=stock)
    await accounting.deliver(issued(100), aggregate_id=stock)
    await accounting.deliver(dispatched([line(300, 0)]), aggregate_id=uuid7())

    async def numbers(**params: Any) -> list[int]:
        answer = await accounting.client.get(f"{V1}/journals", params=params)
        return [int(one["number"][2:]) for one in answer.json()["items"]]

    assert await numbers(source_id=str(stock)) == [1, 2]
    assert await numbers(account=CODES["revenue"]) == [3]
    assert await numbers(rule="stock-issued@1") == [2]
    assert await numbers(sort="-number") == [3, 2, 1]
    assert await numbers(reversed=True) == []
    assert await numbers(effective_from="2026-01-16T00:00:00Z") == []
    assert await numbers(reversed=False, effective_until="2026-01-16T00:00:00Z", limit=2) == [1, 2]


async def test_policy_and_tenants(accounting: Harness) -> None:
    await accounting.client.post(f"{V1}/journals", json=RENT)
    (journal,) = (await accounting.client.get(f"{V1}/journals")).json()["items"]
    reader = accounting.client_as("accounting:read")
    assert (await reader.get(f"{V1}/trial-balance")).status_code == 200
    assert (await reader.post(f"{V1}/journals", json=RENT)).status_code == 403
    assert (await accounting.anonymous().get(f"{V1}/journals")).status_code == 401
    stranger = accounting.client_as(tenant=accounting.other_tenant)
    assert (await stranger.get(f"{V1}/journals/{journal['id']}")).status_code == 404
    assert (await stranger.post(f"{V1}/journals/{journal['id']}/reverse", json={"reason": "x"})).status_code == 404
    assert (await stranger.get(f"{V1}/trial-balance")).json()["rows"] == []
    injected = await accounting.client.post(f"{V1}/journals", json={**RENT, "number": "J-1"})
    assert (injected.status_code, injected.json()["errors"][0]["field"]) == (422, "/number")


async def test_rules_are_told(accounting: Harness) -> None:
    told = (await accounting.client.get(f"{V1}/rules")).json()
    assert ("shipment-dispatched", 1, "shipment.dispatched") in [
        (r["name"], r["version"], r["event"]) for r in told["rules"]
    ]
