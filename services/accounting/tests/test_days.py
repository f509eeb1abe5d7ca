"""Days of the books are the company's: locked ones, a period's and a year's last, those of a report; and those that nobody can mean."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

import pytest
from accounting_events import dispatched, issued, line, received

from accounting.days import fiscal_year_end
from contracts.users import DateBounds, TenantCreated, TenantDatePolicyChanged, TenantTimeZoneChanged
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, SetClock

V1 = "/v1/accounting"
OCTOBER = {"name": "October", "first_day": "2026-10-01", "last_day": "2026-10-31"}


async def post(
    accounting: Harness, path: str, tenant: UUID | None = None, /, **body: Any
) -> tuple[int, dict[str, Any]]:
    answer = await accounting.client_as(tenant=tenant).post(f"{V1}/{path}", json=body)
    return answer.status_code, dict(answer.json())


async def journal(accounting: Harness, at: str, amount: int = 100, tenant: UUID | None = None) -> tuple[int, str]:
    """The status, and the field or the slug of what was refused."""
    lines = [
        {"account": "6000", "currency": "EUR", "debit": amount},
        {"account": "1000", "currency": "EUR", "credit": amount},
    ]
    status, said = await post(accounting, "journals", tenant, text=at, effective_at=at, lines=lines)
    return status, said["effective_at"] if status == 201 else said["errors"][0]["field"]


async def period(accounting: Harness, tenant: UUID | None = None, **days: str) -> str:
    status, made = await post(accounting, "periods", tenant, **{**OCTOBER, **days})
    assert status == 201, made
    return f"periods/{made['id']}"


async def lock_october(accounting: Harness, zone: str, tenant: UUID | None = None) -> None:
    await accounting.count_days_in(zone, tenant=tenant)
    assert (await post(accounting, f"{await period(accounting, tenant)}/lock", tenant))[0] == 200


async def texts(accounting: Harness, path: str = "journals", **query: str) -> list[str]:
    answer = await accounting.client.get(f"{V1}/{path}", params=query)
    assert answer.status_code == 200, answer.text
    return [each["text"] for each in answer.json()["items"]]


async def test_a_locked_day_is_the_companys(accounting: Harness, clock: SetClock) -> None:
    clock("2026-11-01T09:00:00+09:00")
    east, west = accounting.tenant, accounting.other_tenant
    await lock_october(accounting, "Asia/Tokyo", east)
    await lock_october(accounting, "America/New_York", west)
    said = [
        (await journal(accounting, at, tenant=tenant))[0]
        for tenant, at in (
            (east, "2026-11-01T08:30:00+09:00"),  # 31 October in UTC
            (east, "2026-10-31T23:59:59.999999+09:00"),
            (west, "2026-10-31T22:00:00-04:00"),  # 1 November in UTC
            (west, "2026-11-01T00:00:00-04:00"),
        )
    ]
    assert said == [201, 409, 409, 201]


async def test_what_comes_late_moves_to_the_first_moment_of_the_companys_next_day(
    accounting: Harness, clock: SetClock
) -> None:
    clock("2026-11-01T12:00:00-04:00")
    await lock_october(accounting, "America/New_York")
    for amount, at in ((1, "2026-10-31T22:00:00-04:00"), (2, "2026-11-01T00:00:00-04:00")):
        await accounting.deliver(received(amount, effective_at=datetime.fromisoformat(at)), aggregate_id=uuid7())
    items = (await accounting.client.get(f"{V1}/journals")).json()["items"]
    assert [(each["effective_at"], each["source_effective_at"]) for each in items] == [
        ("2026-11-01T04:00:00Z", "2026-11-01T02:00:00Z"),
        ("2026-11-01T04:00:00Z", None),
    ]
    assert (await accounting.prove()).differences == []


async def test_a_period_is_over_when_its_last_day_is_over_there(accounting: Harness, clock: SetClock) -> None:
    await accounting.count_days_in("Pacific/Honolulu")
    clock("2026-10-31T22:56:00-10:00")
    october = await period(accounting)
    status, refused = await post(accounting, f"{october}/close")
    assert (status, refused["type"]) == (409, "urn:tailrace:problem:not-ready-to-close")
    clock("2026-10-31T23:59:59.999999-10:00")
    assert (await post(accounting, f"{october}/close"))[0] == 409
    clock("2026-11-01T00:00:00-10:00")
    assert (await post(accounting, f"{october}/close"))[0] == 200


async def test_a_company_in_the_east_closes_before_utc_does(accounting: Harness, clock: SetClock) -> None:
    await accounting.count_days_in("Pacific/Kiritimati")
    clock("2026-11-01T00:00:00+14:00")
    assert (await post(accounting, f"{await period(accounting)}/close"))[0] == 200


async def test_a_year_ends_with_the_companys_last_moment(accounting: Harness, clock: SetClock) -> None:
    """31 December in Honolulu reaches to 10:00 UTC of 1 January; the year has what was sold by then, and nothing later."""
    await accounting.count_days_in("Pacific/Honolulu")
    clock("2026-01-02T12:00:00-10:00")
    for net, at in ((1000, "2025-12-31T23:59:59-10:00"), (70, "2026-01-01T00:00:00-10:00")):
        sold = dispatched([line(net, 0)], dispatched_at=datetime.fromisoformat(at))
        await accounting.deliver(sold, aggregate_id=uuid7())
    year = await period(accounting, first_day="2025-01-01", last_day="2025-12-31")
    assert (await post(accounting, f"{year}/close", year_end=True))[0] == 200
    closing = (await accounting.client.get(f"{V1}/journals", params={"rule": "year-end@1"})).json()["items"]
    assert [each["effective_at"] for each in closing] == ["2026-01-01T09:59:59.999999Z"]
    trial = (await accounting.client.get(f"{V1}/trial-balance", params={"effective": "2026-01-01"})).json()
    assert {row["account"]: row["balance"] for row in trial["rows"]}["3100"] == -1000
    assert {row["account"]: row["balance"] for row in trial["rows"]}["4000"] == -70


async def test_a_report_of_a_day_holds_the_companys_day(accounting: Harness, clock: SetClock) -> None:
    await accounting.count_days_in("Asia/Tokyo")
    clock("2026-11-02T12:00:00+09:00")
    moments = ["2026-10-31T23:59:59+09:00", "2026-11-01T00:00:00+09:00", "2026-11-01T23:59:59+09:00"]
    moments.append("2026-11-02T00:00:00+09:00")
    for amount, at in enumerate(moments, 1):
        assert (await journal(accounting, at, 10**amount))[0] == 201

    async def balance(day: str) -> int:
        rows = (await accounting.client.get(f"{V1}/trial-balance", params={"effective": day})).json()["rows"]
        return sum(row["balance"] for row in rows if row["account"] == "6000")

    assert [await balance(day) for day in ("2026-10-30", "2026-10-31", "2026-11-01", "2026-11-02")] == [
        0, 10, 1110, 11110
    ]  # fmt: skip
    day = {"effective_from": "2026-11-01", "effective_to": "2026-11-01"}
    assert await texts(accounting, "ledger/6000", **day) == moments[1:3]
    assert await texts(accounting, effective_from="2026-11-01", effective_until="2026-11-02") == moments[1:3]
    assert await texts(accounting, effective_until="2026-11-01") == moments[:1]
    # A moment is taken there as well, and what is neither is refused by its name.
    assert await texts(accounting, effective_from="2026-11-01T23:59:59+09:00") == moments[2:]
    for wrong in ("2026-11-01T08:30:00", "2026-11-31", "today"):
        answer = await accounting.client.get(f"{V1}/journals", params={"effective_from": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "effective_from")


async def test_a_change_of_zone_moves_no_day_that_was(accounting: Harness, clock: SetClock) -> None:
    clock("2026-11-20T12:00:00Z")
    tenant = accounting.tenant
    founded = TenantCreated(tenant_id=tenant, slug="m", name="M", currency="EUR", time_zone="Asia/Tokyo")
    await accounting.deliver(founded, aggregate_id=tenant)
    moved = TenantTimeZoneChanged(tenant_id=tenant, time_zone="America/New_York", since=date(2026, 11, 10))
    await accounting.deliver(moved, aggregate_id=tenant)
    october = await period(accounting)
    early_november = await period(accounting, first_day="2026-11-01", last_day="2026-11-09")
    for locked in (october, early_november):
        assert (await post(accounting, f"{locked}/lock"))[0] == 200
    said = [
        await journal(accounting, at) for at in ("2026-11-09T15:00:00Z", "2026-11-10T04:59:59Z", "2026-11-10T05:00:00Z")
    ]
    assert [status for status, _ in said] == [409, 409, 201]


async def test_a_company_that_has_not_been_heard_of_asks_again(accounting: Harness) -> None:
    """Neither its days nor its chart are guessed; what depends on none is answered, and what happened waits."""
    stranger = uuid7()
    status, said = await post(accounting, "periods", stranger, **OCTOBER)
    assert (status, said["type"], said["errors"][0]["field"]) == (
        409,
        "urn:tailrace:problem:not-yet-known",
        "Authorization",
    )
    assert (await journal(accounting, "2026-11-01T00:00:00Z", tenant=stranger)) == (409, "Authorization")
    client = accounting.client_as(tenant=stranger)
    assert (await client.get(f"{V1}/trial-balance")).status_code == 200
    assert (await client.get(f"{V1}/trial-balance", params={"effective": "2026-11-01"})).status_code == 409
    stock = uuid7()
    await accounting.deliver(issued(5), aggregate_id=stock, tenant=stranger, may_dead_letter=True)
    assert (await client.get(f"{V1}/journals")).json()["items"] == []
    await accounting.count_days_in("Asia/Tokyo", tenant=stranger)
    await accounting.redriver.redrive(("accounting.postings", stock))
    assert len((await client.get(f"{V1}/journals")).json()["items"]) == 1
    assert (await post(accounting, "periods", stranger, **OCTOBER))[0] == 201


async def test_a_day_that_nobody_can_mean_is_refused(accounting: Harness, clock: SetClock) -> None:
    await accounting.count_days_in("Asia/Tokyo")
    clock("2026-11-27T12:00:00+09:00")
    refused = (422, "/effective_at")
    for at in (
        "2199-01-01T00:00:00Z",
        "1999-12-31T00:00:00Z",
        "2028-01-01T00:00:00+09:00",
        "2016-11-26T23:59:59+09:00",
    ):
        assert await journal(accounting, at) == refused, at
    # The end of the next fiscal year, and ten years back, by the company's days.
    for at in ("2027-12-31T23:59:59+09:00", "2016-11-27T00:00:00+09:00"):
        assert (await journal(accounting, at))[0] == 201, at
    for days, field in (
        ({"first_day": "2199-01-01", "last_day": "2199-12-31"}, "/first_day"),
        ({"first_day": "2026-01-01", "last_day": "2032-12-31"}, "/last_day"),
        ({"first_day": "1999-01-01", "last_day": "1999-12-31"}, "/first_day"),
    ):
        status, said = await post(accounting, "periods", **{**OCTOBER, **days})
        assert (status, said["type"], said["errors"][0]["field"]) == (
            422,
            "urn:tailrace:problem:implausible-date",
            field,
        )
    # A period of one's own reaches further.
    await period(accounting, first_day="2028-01-01", last_day="2028-12-31")
    assert (await journal(accounting, "2028-12-31T23:59:59+09:00"))[0] == 201
    assert await journal(accounting, "2029-01-01T00:00:00+09:00") == refused


async def test_a_company_says_which_days_it_means(accounting: Harness, clock: SetClock) -> None:
    """Periods of its own reach further all the same, and locked ones stay locked."""
    clock("2026-11-27T12:00:00Z")
    bounds = [
        DateBounds(kind="journal", days_back=30, days_ahead=2),
        DateBounds(kind="period", days_back=400, days_ahead=100),
    ]
    said = TenantDatePolicyChanged(tenant_id=accounting.tenant, bounds=bounds)
    await accounting.deliver(said, aggregate_id=accounting.tenant)
    refused = (422, "/effective_at")
    for at in ("2026-10-27T23:59:59Z", "2026-11-30T00:00:00Z"):
        assert await journal(accounting, at) == refused, at
    for at in ("2026-10-28T00:00:00Z", "2026-11-29T23:59:59Z"):
        assert (await journal(accounting, at))[0] == 201, at
    for days, field in (
        ({"first_day": "2025-10-22", "last_day": "2025-10-31"}, "/first_day"),
        ({"first_day": "2027-03-01", "last_day": "2027-03-08"}, "/last_day"),
    ):
        status, answer = await post(accounting, "periods", **{**OCTOBER, **days})
        assert (status, answer["errors"][0]["field"]) == (422, field)
    december = await period(accounting, first_day="2026-12-01", last_day="2026-12-31")
    assert (await journal(accounting, "2026-12-31T00:00:00Z"))[0] == 201
    assert (await post(accounting, f"{december}/lock"))[0] == 200
    assert (await journal(accounting, "2026-12-31T00:00:00Z"))[0] == 409
    # Another company has the defaults.
    assert (await journal(accounting, "2026-01-01T00:00:00Z", tenant=accounting.other_tenant))[0] == 201


async def test_a_reversal_is_held_to_the_same(accounting: Harness, clock: SetClock) -> None:
    clock("2026-11-27T12:00:00Z")
    assert (await journal(accounting, "2026-11-01T00:00:00Z"))[0] == 201
    id = (await accounting.client.get(f"{V1}/journals")).json()["items"][0]["id"]
    status, said = await post(accounting, f"journals/{id}/reverse", reason="x", effective_at="2199-01-01T00:00:00Z")
    assert (status, said["errors"][0]["field"]) == (422, "/effective_at")
    assert (await post(accounting, f"journals/{id}/reverse", reason="x"))[0] == 201


@pytest.mark.parametrize(
    ("today", "closed", "this", "following"),
    [
        ("2026-11-27", None, "2026-12-31", "2027-12-31"),
        ("2026-12-31", None, "2026-12-31", "2027-12-31"),
        ("2027-01-01", None, "2027-12-31", "2028-12-31"),
        ("2026-11-27", "2026-03-31", "2027-03-31", "2028-03-31"),
        ("2026-03-31", "2024-03-31", "2026-03-31", "2027-03-31"),
        ("2026-02-28", "2024-02-29", "2026-02-28", "2027-02-28"),
        ("2028-02-28", "2027-02-28", "2028-02-29", "2029-02-28"),
        ("2026-06-01", "2024-02-28", "2027-02-28", "2028-02-28"),
    ],
)
def test_a_fiscal_year_ends_as_the_last_closed_one_did(
    today: str, closed: str | None, this: str, following: str
) -> None:
    day, ended = date.fromisoformat(today), date.fromisoformat(closed) if closed else None
    assert [str(fiscal_year_end(day, ended, years)) for years in (0, 1)] == [this, following]


async def test_a_plain_day_is_its_first_moment_where_the_company_is(accounting: Harness, clock: SetClock) -> None:
    clock("2026-11-10T12:00:00Z")
    await accounting.count_days_in("Asia/Tokyo")
    first_moment = "2026-10-31T15:00:00Z"
    assert await journal(accounting, "2026-11-01") == (201, first_moment)
    assert await journal(accounting, "2026-11-01T00:00:00") == (422, "/effective_at")
    (made,) = (await accounting.client.get(f"{V1}/journals")).json()["items"]
    status, back = await post(accounting, f"journals/{made['id']}/reverse", reason="wrong", effective_at="2026-11-02")
    assert (status, back["effective_at"]) == (201, "2026-11-01T15:00:00Z")
    # Undone on the day that it is of, it is undone when it took effect.
    assert await journal(accounting, "2026-11-04T09:30:00+09:00") == (201, "2026-11-04T00:30:00Z")
    made = (await accounting.client.get(f"{V1}/journals", params={"sort": "-number"})).json()["items"][0]
    status, _ = await post(accounting, f"journals/{made['id']}/reverse", reason="wrong", effective_at="2026-11-03")
    assert status == 422
    status, back = await post(accounting, f"journals/{made['id']}/reverse", reason="wrong", effective_at="2026-11-04")
    assert (status, back["effective_at"]) == (201, "2026-11-04T00:30:00Z")
    lines = [{"account": "1200", "currency": "EUR", "debit": 1}, {"account": "1000", "currency": "EUR", "credit": 1}]
    said = {"text": "A", "reason": "R", "effective_at": "2026-11-01", "lines": lines}
    status, adjusted = await post(accounting, "adjustments", **said)
    assert (status, adjusted["effective_at"]) == (201, first_moment)
    limit = await accounting.client.put(f"{V1}/journal-limits", json={"limits": [{"currency": "EUR", "amount": 0}]})
    assert limit.status_code == 200
    lines = [{"account": "6000", "currency": "EUR", "debit": 1}, {"account": "1000", "currency": "EUR", "credit": 1}]
    status, draft = await post(accounting, "journal-drafts", text="A", effective_at="2026-11-01", lines=lines)
    assert (status, draft["effective_at"]) == (201, first_moment)
