"""A company's time zone reaches every service, and its days differ from its neighbour's."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from tailrace_testing.gateway import Gateway, Member

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
