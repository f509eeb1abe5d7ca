"""A company says how far from today its dates may lie, and everybody hears of it."""

from typing import Any, get_args

import httpx2
import pytest

from contracts.users import MAY_LIE_AHEAD, MAY_LIE_BACK, DateBounds, DateKind, TenantCreated, TenantDatePolicyChanged
from tailrace_testing import Harness

from .conftest import Company, new_tenant

HERE = "/v1/tenants/current/date-policy"


async def put(admin: httpx2.AsyncClient, *bounds: dict[str, Any], **headers: str) -> tuple[int, Any]:
    answer = await admin.put(HERE, json={"bounds": bounds}, headers=headers)
    return answer.status_code, answer.json()


async def test_a_policy_is_said_whole_and_told(identity: Harness, acme: Company) -> None:
    admin = identity.client_as(tenant=acme.id)
    assert (await admin.get("/v1/tenants/current")).json()["date_policy"] == []
    movement = {"kind": "movement", "days_back": 31}
    status, said = await put(admin, movement, {"kind": "journal", "days_ahead": 10}, **{"If-Match": '"1"'})
    assert (status, said["version"]) == (200, 2)
    assert said["date_policy"] == [
        {"kind": "movement", "days_back": 31, "days_ahead": None},
        {"kind": "journal", "days_back": None, "days_ahead": 10},
    ]
    [told] = await identity.published("iam.tenant.date_policy_changed", tenant=acme.id)
    assert isinstance(told.event, TenantDatePolicyChanged) and told.event.tenant_id == acme.id
    assert told.event.bounds == [DateBounds(kind="movement", days_back=31), DateBounds(kind="journal", days_ahead=10)]
    [noted] = await acme.audited("tenant.date_policy_changed")
    assert noted["details"]["bounds"] == said["date_policy"]
    assert (await put(admin, **{"If-Match": '"1"'}))[0] == 412
    status, said = await put(admin)
    assert (status, said["date_policy"]) == (200, [])


async def test_each_kind_is_said_on_the_sides_on_which_it_may_lie(identity: Harness, acme: Company) -> None:
    said = [
        {
            "kind": kind,
            "days_back": 1 if kind in MAY_LIE_BACK else None,
            "days_ahead": 2 if kind in MAY_LIE_AHEAD else None,
        }
        for kind in get_args(DateKind)
    ]
    status, tenant = await put(identity.client_as(tenant=acme.id), *said)
    assert (status, tenant["date_policy"]) == (200, said)


@pytest.mark.parametrize(
    ("bounds", "field"),
    [
        ([{"kind": "delivery"}], "/bounds/0/kind"),
        ([{"kind": "movement", "days_back": -1}], "/bounds/0/days_back"),
        ([{"kind": "movement", "days_back": 100_001}], "/bounds/0/days_back"),
        ([{"kind": "movement", "days_back": "31"}], "/bounds/0/days_back"),
        ([{"kind": "movement", "days_back": 1, "hours": 2}], "/bounds/0/hours"),
        # What took place does not lie ahead; what is wished does not lie back.
        *(
            ([{"kind": "period"}, {"kind": kind, "days_ahead": 1}], "/bounds/1/days_ahead")
            for kind in ("movement", "opening_stock", "order", "consent", "invoice", "payment", "close")
        ),
        *(
            ([{"kind": kind, "days_back": 0}], "/bounds/0/days_back")
            for kind in ("requested_date", "valid_until", "tax", "target")
        ),
        ([{"kind": "order"}, {"kind": "period"}, {"kind": "order", "days_back": 2}], "/bounds/2/kind"),
    ],
)
async def test_what_no_policy_can_say_is_refused(
    identity: Harness, acme: Company, bounds: list[dict[str, Any]], field: str
) -> None:
    status, said = await put(identity.client_as(tenant=acme.id), *bounds)
    assert (status, [error["field"] for error in said["errors"]]) == (422, [field])
    assert await identity.published("iam.tenant.date_policy_changed", tenant=acme.id) == []


async def test_only_who_may_write_says_it(identity: Harness, acme: Company) -> None:
    assert (await put(identity.client_as("tenants:read", tenant=acme.id)))[0] == 403


@pytest.mark.parametrize(
    ("said", "country", "chart"),
    [
        ({}, None, "general"),
        ({"country": "FR"}, "FR", "france"),
        ({"country": "JP"}, "JP", "japan"),
        ({"country": "DE"}, "DE", "germany"),
        ({"country": "SE"}, "SE", "general"),
        ({"country": "SE", "chart": "germany"}, "SE", "germany"),
        ({"country": "FR", "chart": "general"}, "FR", "general"),
        ({"chart": "japan"}, None, "japan"),
    ],
)
async def test_a_company_is_founded_with_its_chart(
    identity: Harness, operator: httpx2.AsyncClient, said: dict[str, str], country: str | None, chart: str
) -> None:
    made = await operator.post("/v1/tenants", json={**new_tenant("new"), **said})
    assert (made.status_code, made.json()["country"]) == (201, country)
    [told] = await identity.published("iam.tenant.created", tenant=made.json()["id"])
    assert isinstance(told.event, TenantCreated) and (told.event.country, told.event.chart) == (country, chart)


@pytest.mark.parametrize("wrong", [{"chart": "atlantis"}, {"chart": ""}, {"country": "fr"}, {"country": "FRA"}])
async def test_a_chart_that_there_is_none_of_founds_nothing(
    identity: Harness, operator: httpx2.AsyncClient, wrong: dict[str, str]
) -> None:
    refused = await operator.post("/v1/tenants", json={**new_tenant("lost"), **wrong})
    assert (refused.status_code, [error["field"] for error in refused.json()["errors"]]) == (
        422,
        [f"/{name}" for name in wrong],
    )
    assert (await operator.get("/v1/tenants", params={"slug": "lost"})).json()["items"] == []
