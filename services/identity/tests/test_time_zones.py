"""A company says in which time zone it counts its days: when it joins, and later for days that are still to come."""

from typing import Any

import httpx2
import pytest

from contracts.users import TenantCreated, TenantTimeZoneChanged
from tailrace_testing import Harness, SetClock

from .conftest import Company, found, new_tenant

NOW = "2026-11-27T12:00:00Z"


@pytest.fixture
async def acme(identity: Harness, operator: httpx2.AsyncClient, clock: SetClock) -> Any:
    clock(NOW)
    return await found(identity, operator, "acme")


async def change(admin: httpx2.AsyncClient, zone: str, since: str, **headers: str) -> tuple[int, Any]:
    body = {"time_zone": zone, "since": since}
    answer = await admin.put("/v1/tenants/current/time-zone", json=body, headers=headers)
    return answer.status_code, answer.json()


async def test_a_company_joins_with_its_time_zone(
    identity: Harness, operator: httpx2.AsyncClient, acme: Company
) -> None:
    made = (await operator.post("/v1/tenants", json={**new_tenant("tokyo"), "time_zone": "Asia/Tokyo"})).json()
    assert made["time_zone"] == "Asia/Tokyo"
    assert made["time_zones"] == [{"since": "0001-01-01", "time_zone": "Asia/Tokyo"}]
    [told] = await identity.published("iam.tenant.created", tenant=made["id"])
    assert isinstance(told.event, TenantCreated) and told.event.time_zone == "Asia/Tokyo"
    [told] = await identity.published("iam.tenant.created", tenant=acme.id)
    assert isinstance(told.event, TenantCreated) and told.event.time_zone == "Etc/UTC"
    for wrong in ("Europe/Atlantis", "UTC+9", "localtime", "", 9):
        answer = await operator.post("/v1/tenants", json={**new_tenant("lost"), "time_zone": wrong})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "/time_zone")


async def test_it_changes_for_days_to_come(
    identity: Harness, operator: httpx2.AsyncClient, acme: Company, clock: SetClock
) -> None:
    admin = identity.client_as(tenant=acme.id)
    status, said = await change(admin, "Asia/Tokyo", "2026-12-01", **{"If-Match": '"1"'})
    assert (status, said["version"], said["time_zone"]) == (200, 2, "Etc/UTC")
    assert [each["since"] for each in said["time_zones"]] == ["0001-01-01", "2026-12-01"]
    [told] = await identity.published("iam.tenant.time_zone_changed", tenant=acme.id)
    assert isinstance(told.event, TenantTimeZoneChanged)
    assert (told.event.time_zone, str(told.event.since), told.sequence) == ("Asia/Tokyo", "2026-12-01", 2)
    assert len(await acme.audited("tenant.time_zone_changed")) == 1
    assert (await change(admin, "Asia/Seoul", "2026-12-01", **{"If-Match": '"1"'}))[0] == 412
    # What is still to come may be changed once more; another day beside it too.
    assert (await change(admin, "Asia/Seoul", "2026-12-01"))[0] == 200
    assert (await change(admin, "Europe/Berlin", "2027-01-01"))[0] == 200
    zones = {
        "2026-11-30T14:59:59Z": "Etc/UTC",
        "2026-11-30T15:00:00Z": "Asia/Seoul",
        "2027-01-01T00:00:00Z": "Europe/Berlin",
    }
    for moment, zone in zones.items():
        clock(moment)
        assert (await operator.get(f"/v1/tenants/{acme.id}")).json()["time_zone"] == zone


@pytest.mark.parametrize(
    ("zone", "since", "status"),
    [
        ("Asia/Tokyo", "1999-01-01", 422),
        ("Asia/Tokyo", "2026-11-27", 422),
        # 28 November begins in three hours there, and in twelve in UTC, which counts until then.
        ("Asia/Tokyo", "2026-11-28", 422),
        ("Asia/Tokyo", "2026-11-29", 200),
        # It begins in 22 hours in Honolulu, and the company's own 28 November in 12.
        ("Pacific/Honolulu", "2026-11-28", 422),
        # There it begins in 24 hours; the company's own does so in twelve.
        ("Etc/GMT+12", "2026-11-28", 422),
        ("Etc/GMT+12", "2026-11-29", 200),
        # 29 November begins in 22 hours on Kiritimati.
        ("Pacific/Kiritimati", "2026-11-29", 422),
        ("Pacific/Kiritimati", "2026-11-30", 200),
        ("Asia/Atlantis", "2026-12-01", 422),
        ("Asia/Tokyo", "2199-12-31", 422),
        ("Asia/Tokyo", "2200-01-01", 422),
    ],
)
async def test_no_day_that_began_changes_its_zone(
    identity: Harness, acme: Company, zone: str, since: str, status: int
) -> None:
    admin = identity.client_as(tenant=acme.id)
    answered, said = await change(admin, zone, since)
    assert answered == status, said
    if status == 422:
        assert said["errors"][0]["field"] == ("/time_zone" if "Atlantis" in zone else "/since")
        assert await identity.published("iam.tenant.time_zone_changed", tenant=acme.id) == []


async def test_it_is_for_who_may_describe_the_company(identity: Harness, acme: Company) -> None:
    clerk = identity.client_as("tenants:read", tenant=acme.id)
    assert (await change(clerk, "Asia/Tokyo", "2026-12-01"))[0] == 403


async def test_the_audit_log_is_read_by_the_companys_days(
    identity: Harness, operator: httpx2.AsyncClient, clock: SetClock
) -> None:
    clock(NOW)
    made = (await operator.post("/v1/tenants", json={**new_tenant("tokyo"), "time_zone": "Asia/Tokyo"})).json()
    admin = identity.client_as(tenant=made["id"])
    await identity.admin.execute("UPDATE audit_log SET at = '2026-10-31T15:00:00Z'")

    async def found(**query: str) -> int:
        return len((await admin.get("/v1/auth/audit-logs", params=query)).json()["items"])

    assert await found(at_from="2026-11-01", at_until="2026-11-02") == 1
    assert await found(at_until="2026-11-01") == await found(at_from="2026-11-02") == 0
