"""A company's time zone reaches every service, and its days differ from its neighbour's."""

from datetime import UTC, date, datetime, timedelta
from uuid import UUID
from zoneinfo import ZoneInfo

import asyncpg

from tailrace.stack.embedded import Stack
from tailrace_testing import today
from tailrace_testing.gateway import Gateway, Member, eventually

EAST, WEST = "Etc/GMT-14", "Etc/GMT+12"
"""26 hours apart: whatever time it is, the day that it is in the west is over in the east."""


def today_in(zone: str) -> date:
    return datetime.now(UTC).astimezone(ZoneInfo(zone)).date()


async def closes(member: Member, day: date) -> int:
    """How the attempt to close that day, a period of its own, is answered."""
    body = {"name": str(day), "first_day": str(day), "last_day": str(day)}
    period = await member.post("/v1/accounting/periods", body)
    return (await member.send("POST", f"/v1/accounting/periods/{period['id']}/close")).status_code


async def test_a_day_is_over_in_the_east_that_goes_on_in_the_west(gateway: Gateway) -> None:
    east, west = [await gateway.new_tenant(time_zone=zone) for zone in (EAST, WEST)]
    assert (await east.get("/v1/tenants/current"))["time_zone"] == EAST
    said, day = (0, 0), None
    while day != today_in(WEST):  # once more, should midnight have passed there meanwhile
        day = today_in(WEST)
        said = await closes(east, day), await closes(west, day)
    assert said == (200, 409)


async def set_back(fleet: Stack, member: Member, schedule: str) -> bool:
    """Whether customers count what came of a schedule from two days ago on, as if they had not run meanwhile; not before it is planned."""
    connection = await asyncpg.connect(fleet.postgres_url.rsplit("/", 1)[0] + "/customers")
    try:
        back = (
            "UPDATE timer_payload SET payload = jsonb_set(payload, '{after}', to_jsonb($3::text))"
            " WHERE name = $1 AND key = $2 AND payload ->> 'after' IS NOT NULL"
        )
        moment = (datetime.now(UTC) - timedelta(days=2)).isoformat()
        done = await connection.execute(back, f"schedule:{schedule}", UUID(member.tenant_id), moment)
        return str(done) == "UPDATE 1"
    finally:
        await connection.close()


async def test_a_morning_that_was_missed_is_made_up_for_when_the_company_moves(fleet: Stack, gateway: Gateway) -> None:
    member = await gateway.new_tenant()
    at = f"/v1/customers/{(await member.post('/v1/customers', {'name': 'Ada', 'currency': 'EUR'}))['id']}"
    wants = {"risk_tolerance": "balanced", "experience": "good", "objectives": ["growth"], "horizon_years": 10}
    await member.put(f"{at}/profile", {**wants, "reviewed_on": "2026-01-15", "review_due_on": "2026-02-15"})
    await eventually(lambda: set_back(fleet, member, "customers.reviews"), bool, what="the schedule of the company")
    since = str(today() + timedelta(days=3))
    await member.put("/v1/tenants/current/time-zone", {"time_zone": "Asia/Tokyo", "since": since})

    async def announced() -> int:
        return len(await member.every(f"{at}/timeline", type="customer.review_due_reached"))

    await eventually(announced, lambda times: times == 1, what="the announcement")


async def test_lists_of_every_service_take_a_plain_day(gateway: Gateway) -> None:
    member = await gateway.new_tenant(time_zone="Asia/Tokyo")
    for path, name in (
        ("/v1/orders", "ordered_from"),
        ("/v1/accounting/journals", "effective_from"),
        ("/v1/accounting/trial-balance", "effective"),
        ("/v1/inventory/movements", "effective_until"),
        ("/v1/inventory/valuation", "effective"),
        ("/v1/auth/audit-logs", "at_from"),
    ):
        await member.get(path, **{name: "2026-11-01"})
