"""Books begin with the chart that their company was founded with; older ones, from before accounts had roles, are given theirs."""

from typing import Any, get_args

import pytest
from accounting_events import CODES, dispatched, issued, line, received
from pydantic import ValidationError

from accounting.books import hold
from accounting.chart import CHARTS
from contracts.accounting import CHART_OF, ChartName
from contracts.users import TenantCreated
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

V1 = "/v1/accounting"


def founded(accounting: Harness, chart: Any, tenant: Any = None) -> TenantCreated:
    id = tenant or accounting.tenant
    return TenantCreated(tenant_id=id, slug="m", name="M", currency="EUR", chart=chart)


async def chart(accounting: Harness, tenant: Any = None) -> dict[str, Any]:
    answer = await accounting.client_as(tenant=tenant).get(f"{V1}/chart")
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


async def rows(accounting: Harness, tenant: Any = None) -> dict[str, int]:
    trial = (await accounting.client_as(tenant=tenant).get(f"{V1}/trial-balance")).json()
    return {row["account"]: row["balance"] for row in trial["rows"] if row["balance"]}


async def test_a_companys_chart_is_there_before_its_first_journal(accounting: Harness) -> None:
    for name in CHARTS:
        company = uuid7()
        await accounting.deliver(founded(accounting, name, company), aggregate_id=company, tenant=company)
        assert (await chart(accounting, company))["name"] == name
        await accounting.deliver(received(700), aggregate_id=uuid7(), tenant=company)
        roles = CHARTS[name].roles
        assert await rows(accounting, company) == {roles["inventory"]: 700, roles["opening_equity"]: -700}


def test_every_country_has_a_chart_that_there_is() -> None:
    assert set(CHART_OF.values()) < CHARTS.keys()


def test_no_company_is_founded_with_a_chart_that_is_none(accounting: Harness) -> None:
    assert set(get_args(ChartName)) == CHARTS.keys()
    with pytest.raises(ValidationError, match="chart"):
        founded(accounting, "atlantis")


async def test_what_overtakes_the_founding_waits_for_the_chart(accounting: Harness) -> None:
    stranger, stock = uuid7(), uuid7()
    await accounting.deliver(received(700), aggregate_id=stock, tenant=stranger, may_dead_letter=True)
    waiting = await accounting.admin.fetch("SELECT subscriber, kind FROM dead_letter")
    assert [tuple(row) for row in waiting] == [("accounting.postings", "not_yet")]
    assert await rows(accounting, stranger) == {}
    await accounting.deliver(founded(accounting, "france", stranger), aggregate_id=stranger, tenant=stranger)
    await accounting.redriver.redrive(("accounting.postings", stock))
    assert await rows(accounting, stranger) == {"37": 700, "890": -700}


async def test_a_chart_that_somebody_chose_stays(accounting: Harness) -> None:
    answer = await accounting.client.put(f"{V1}/chart", json={"chart": "japan"})
    assert answer.status_code == 200, answer.text
    await accounting.deliver(founded(accounting, "france"), aggregate_id=accounting.tenant)
    assert (await chart(accounting))["name"] == "japan"


async def test_books_that_began_by_themselves_take_the_companys_chart_while_they_are_empty(accounting: Harness) -> None:
    account = {"code": "7777", "name": "Own", "kind": "asset"}
    async with accounting.tx() as tx:
        await hold(tx)
    assert (await chart(accounting))["name"] == "general"
    await accounting.deliver(founded(accounting, "france"), aggregate_id=accounting.tenant)
    assert (await chart(accounting))["name"] == "france"
    assert (await accounting.client.post(f"{V1}/accounts", json=account)).status_code == 201
    # With a journal in them a person decides.
    await accounting.deliver(received(700), aggregate_id=uuid7(), tenant=accounting.other_tenant)
    other = accounting.other_tenant
    late = founded(accounting, "france", other)
    await accounting.deliver(late, aggregate_id=other, tenant=other, may_dead_letter=True)
    assert "BooksBegun" in await accounting.admin.fetchval("SELECT reason FROM dead_letter")
    assert (await chart(accounting, other))["name"] == "general"


async def grow_old(accounting: Harness, *statements: str) -> None:
    """Leave the books as they were before accounts had roles: with what was posted, and without a chart."""
    await accounting.deliver(received(700), aggregate_id=uuid7())
    await accounting.admin.execute("UPDATE book SET roles = '[]'")
    await accounting.admin.execute("DELETE FROM accounting_event WHERE type LIKE 'accounting.chart.%'")
    await accounting.admin.execute("DELETE FROM outbox WHERE type LIKE 'accounting.chart.%'")
    await accounting.admin.execute("DELETE FROM account WHERE code = '5300'")
    for statement in statements:
        await accounting.admin.execute(statement)


async def test_older_books_get_roles_with_the_next_posting(accounting: Harness) -> None:
    await grow_old(accounting)
    sale = dispatched([line(1000, 100)])
    await accounting.deliver(sale, aggregate_id=sale.shipment_id)
    back = issued(200, reason="return_to_supplier", credited=190)
    await accounting.deliver(back, aggregate_id=uuid7())
    assert await rows(accounting) == {"1400": 500, "3900": -700, "1210": 1100, "4000": -1000, "2200": -100} | {
        "2110": 190,
        "5300": 10,
    }
    told = await chart(accounting)
    assert (told["name"], {one["role"]: one["account"] for one in told["roles"]}) == ("general", CODES)
    assert (await accounting.client.get(f"{V1}/integrity")).json()["intact"] is True
    assert (await accounting.prove()).differences == []


async def test_older_books_get_roles_with_what_a_person_does(accounting: Harness) -> None:
    """A control account is one from then on."""
    await grow_old(accounting)
    lines = [{"account": "1400", "currency": "EUR", "debit": 1}, {"account": "6000", "currency": "EUR", "credit": 1}]
    refused = await accounting.client.post(f"{V1}/journals", json={"text": "x", "lines": lines})
    assert (refused.status_code, refused.json()["type"]) == (409, "urn:tailrace:problem:control-account")
    wanted = {"since": "2026-01-01", "roles": [{"role": "revenue", "account": "6000"}]}
    refused = await accounting.client.post(f"{V1}/chart/roles", json=wanted)
    assert refused.json()["errors"][0]["field"] == "/roles/0/account"


async def test_a_code_that_means_something_else_by_now_gets_no_role(accounting: Harness) -> None:
    """What posts to that role waits until somebody maps it; the rest goes on."""
    await grow_old(accounting, "UPDATE account SET kind = 'asset' WHERE code = '4000'")
    sale = dispatched([line(1000, 100)])
    await accounting.deliver(sale, aggregate_id=sale.shipment_id, may_dead_letter=True)
    assert "No account has the role revenue" in await accounting.admin.fetchval("SELECT reason FROM dead_letter")
    await accounting.deliver(issued(200), aggregate_id=uuid7())
    assert (await rows(accounting))["5000"] == 200
    account = {"code": "4100", "name": "Sales", "kind": "revenue"}
    assert (await accounting.client.post(f"{V1}/accounts", json=account)).status_code == 201
    wanted = {"since": "2026-01-01", "roles": [{"role": "revenue", "account": "4100"}]}
    assert (await accounting.client.post(f"{V1}/chart/roles", json=wanted)).status_code == 200
    await accounting.redriver.redrive(("accounting.postings", sale.shipment_id))
    assert (await rows(accounting))["4100"] == -1000
