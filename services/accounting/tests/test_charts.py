"""A chart of one's own: chosen or imported before the first journal, and its roles mapped to other accounts from a day on."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import pytest
from accounting_events import CODES, adjusted, dispatched, issued, line, received

from accounting.chart import CHARTS, CONTROL, KINDS, ROLES
from accounting.roles import RoleMap, RolesFrom
from contracts.users import TenantCreated
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

V1 = "/v1/accounting"

# Four codes of the general chart, with other meanings here.
OWN = """code,name,kind,role
1210,Bank,asset,
1400,Receivables,asset,
1410,Delivered and not billed,asset,unbilled_receivable
1600,Payables,liability,
1605,Received and not billed,liability,goods_received_not_invoiced
1776,Tax on sales,liability,output_tax
2200,Income tax,expense,
0860,Carried forward,equity,retained_earnings
3200,Cost of goods,expense,cost_of_goods_sold stock_usage
3980,Goods,asset,inventory
4000,Materials,expense,
8400,Sales,revenue,revenue
8900,Differences,revenue,stock_adjustments
8970,Price differences,expense,purchase_price_variance
8980,Production,revenue,production_clearing
9000,Brought forward,equity,opening_equity
"""


async def put(accounting: Harness, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = await accounting.client.put(f"{V1}/chart", json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def mapped(accounting: Harness, since: str, status: int = 200, **accounts: str) -> dict[str, Any]:
    roles = [{"role": role, "account": account} for role, account in accounts.items()]
    answer = await accounting.client.post(f"{V1}/chart/roles", json={"since": since, "roles": roles})
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def accounts(accounting: Harness) -> dict[str, tuple[str, str]]:
    page = (await accounting.client.get(f"{V1}/accounts", params={"limit": 100})).json()
    return {one["code"]: (one["name"], one["kind"]) for one in page["items"]}


async def balances(accounting: Harness) -> dict[str, int]:
    trial = (await accounting.client.get(f"{V1}/trial-balance")).json()
    assert all(total["difference"] == 0 for total in trial["totals"])
    return {row["account"]: row["balance"] for row in trial["rows"] if row["balance"]}


async def new_account(accounting: Harness, code: str, kind: str) -> None:
    answer = await accounting.client.post(f"{V1}/accounts", json={"code": code, "name": code, "kind": kind})
    assert answer.status_code == 201, answer.text


async def faults(accounting: Harness, csv: str, **more: Any) -> list[str]:
    """What is wrong with a file, each fault said of the field that it came in."""
    refused = await put(accounting, 422, csv=csv, **more)
    assert {error["field"] for error in refused["errors"]} == {"/csv"}
    return [error["detail"] for error in refused["errors"]]


@pytest.mark.parametrize("name", CHARTS)
def test_a_packaged_chart_has_an_account_for_every_role(name: str) -> None:
    chart = CHARTS[name]
    assert chart.roles.keys() == set(ROLES)
    kinds = {row.code: row.kind for row in chart.rows}
    assert all(kinds[code] in KINDS[role] for role, code in chart.roles.items())
    controlled = [chart.roles[role] for role in CONTROL]
    assert all(list(chart.roles.values()).count(code) == 1 for code in controlled)


async def test_books_begin_with_the_general_chart(accounting: Harness) -> None:
    assert (await accounting.client.get(f"{V1}/chart")).status_code == 404
    tenant = TenantCreated(tenant_id=accounting.tenant, slug="m", name="M", currency="EUR")
    await accounting.deliver(tenant, aggregate_id=accounting.tenant)
    chart = (await accounting.client.get(f"{V1}/chart")).json()
    assert (chart["name"], chart["version"]) == ("general", 1)
    assert {one["role"]: one["account"] for one in chart["roles"]} == CODES
    assert chart["control_accounts"] == sorted(CODES[role] for role in CONTROL)
    told = (await accounting.client.get(f"{V1}/charts")).json()["charts"]
    assert [one["name"] for one in told] == list(CHARTS)
    assert len(told[0]["accounts"]) == len(await accounts(accounting))


async def test_another_chart_takes_the_place_of_the_first_one_whole(accounting: Harness) -> None:
    await put(accounting, chart="general")
    chosen = await put(accounting, chart="france")
    assert (chosen["name"], chosen["version"]) == ("france", 2)
    assert await accounts(accounting) == {row.code: (row.name, row.kind) for row in CHARTS["france"].rows}
    assert await put(accounting, chart="france") == chosen
    assert [one.type for one in await accounting.published()].count("accounting.chart.chosen") == 2
    await accounting.deliver(received(500, reason="purchase"), aggregate_id=uuid7())
    await accounting.deliver(issued(300), aggregate_id=uuid7())
    await accounting.deliver(dispatched([line(1000, 100)]), aggregate_id=uuid7())
    assert await balances(accounting) == {"37": 200, "408": -500, "6037": 300, "418": 1100, "707": -1000, "4457": -100}
    again = await put(accounting, chart="france")
    assert again == chosen
    refused = await put(accounting, 409, chart="germany")
    assert refused["type"] == "urn:tailrace:problem:books-begun"
    assert (await accounting.prove()).proven


async def test_an_imported_chart_is_posted_to_by_its_own_codes(accounting: Harness) -> None:
    await put(accounting, chart="general")
    await new_account(accounting, "6100", "expense")
    chosen = await put(accounting, csv=OWN)
    assert (chosen["name"], chosen["control_accounts"]) == ("own", ["1410", "1605", "1776", "3980"])
    assert (await accounts(accounting))["1400"] == ("Receivables", "asset")
    assert len(await accounts(accounting)) == OWN.count("\n") - 1
    for event in (
        received(500, reason="purchase"),
        received(50),
        issued(100),
        issued(10, reason="scrap"),
        adjusted(-7),
        dispatched([line(1000, 100)]),
    ):
        await accounting.deliver(event, aggregate_id=uuid7())
    assert await balances(accounting) == {
        "3980": 433,
        "1605": -500,
        "9000": -50,
        "3200": 110,
        "8900": 7,
        "1410": 1100,
        "8400": -1000,
        "1776": -100,
    }
    assert (await accounting.client.get(f"{V1}/integrity")).json()["intact"]


@pytest.mark.parametrize(
    "said",
    [
        OWN.replace(",", ";"),
        OWN.replace(",", "\t"),
        "\ufeff" + OWN.replace("\n", "\r\n"),
        OWN.replace("Tax on sales", '"Tax, on ""sales"""').replace("code,name,kind,role", "Code, Name, Kind, Role"),
        OWN + "\n,,,\n",
    ],
)
async def test_a_file_is_read_as_spreadsheets_write_it(accounting: Harness, said: str) -> None:
    await put(accounting, csv=said)
    assert len(await accounts(accounting)) == 16


async def test_a_file_that_is_wrong_is_named_by_row_and_column_and_changes_nothing(accounting: Harness) -> None:
    await put(accounting, chart="general")
    before = len(await accounting.published())
    rows = OWN.splitlines()
    rows[1] = "12 10,Bank,asset,"
    rows[2] = "1400,,assets,"
    rows[3] = "1410,Delivered,asset,unbilled_receivables"
    rows[4] = "1600,Payables"
    assert [said.partition(": ")[0] for said in await faults(accounting, "\n".join(rows))] == [
        "Row 2, column code",
        "Row 3, column name",
        "Row 3, column kind",
        "Row 4, column role",
        "Row 5, column all",
    ]
    assert await faults(accounting, OWN + "1400,Twice,asset,\n") == [
        "Row 18, column code: 1400 is in row 3 already.",
    ]
    assert await faults(accounting, OWN + "1401,Twice,asset,inventory\n") == [
        "Row 18, column role: inventory is in row 11 already.",
    ]
    assert await faults(accounting, OWN.replace("3980,Goods,asset", "3980,Goods,expense")) == [
        "Row 11, column kind: an account that is inventory is of kind asset, not expense.",
    ]
    shared = OWN.replace("Goods,asset,inventory", "Goods,asset,inventory unbilled_receivable").replace(
        "billed,asset,unbilled_receivable", "billed,asset,"
    )
    assert set(await faults(accounting, shared)) == {
        "Row 11, column role: an account that is inventory has no other role.",
        "Row 11, column role: an account that is unbilled_receivable has no other role.",
    }
    assert await faults(accounting, OWN.replace("output_tax", "")) == ["No account has the role output_tax."]
    assert await faults(accounting, OWN.replace("kind", "sort")) == [
        "Row 1, column sort: the columns are code, name, kind and role, each once.",
    ]
    assert await faults(accounting, "code,name\n1,x\n") == [
        "Row 1, column kind: the columns are code, name, kind and role, each once.",
    ]
    assert (await faults(accounting, OWN + '1401,"open,asset,\n'))[0].startswith("Row 18, column all: ")
    assert "U+0000" in (await faults(accounting, OWN.replace("Bank", "Ba\x00nk")))[0]
    long = OWN.replace("Bank", "B" * 200_000)
    assert (await faults(accounting, long))[0].startswith("Row 2, column all: field larger than field limit")
    many = [f"{code},x,asset," for code in range(10_000, 12_000)]
    assert await faults(accounting, "\n".join(["code,name,kind,role", *many, "1,x,asset,"])) == [
        "Row 2002, column code: there are at most 2000 accounts."
    ]
    assert len(await faults(accounting, "code,name,kind\n" + "x x,x,asset\n" * 200)) == 50
    assert (await put(accounting, 422, chart="nowhere"))["errors"][0]["field"] == "/chart"
    assert len(await accounting.published()) == before


async def test_a_role_gets_another_account_from_a_day_on(accounting: Harness) -> None:
    await put(accounting, chart="general")
    await new_account(accounting, "4100", "revenue")
    await new_account(accounting, "1401", "asset")
    chart = await mapped(accounting, "2026-02-01", revenue="4100", inventory="1401")
    assert chart["roles"][len(ROLES) :] == [
        {"role": "inventory", "account": "1401", "since": "2026-02-01"},
        {"role": "revenue", "account": "4100", "since": "2026-02-01"},
    ]
    assert {"1400", "1401"} <= set(chart["control_accounts"])
    february = datetime(2026, 2, 1, tzinfo=UTC)
    await accounting.deliver(dispatched([line(10, 0)], dispatched_at=february), aggregate_id=uuid7())
    # What took effect before, and arrives later, keeps the older account.
    await accounting.deliver(dispatched([line(7, 0)]), aggregate_id=uuid7())
    await accounting.deliver(received(100), aggregate_id=uuid7())
    await accounting.deliver(received(30, effective_at=february), aggregate_id=uuid7())
    found = await balances(accounting)
    assert (found["4000"], found["4100"], found["1400"], found["1401"]) == (-7, -10, 100, 30)
    # Both explain what the stock is worth.
    (stock,) = [
        one for one in (await accounting.client.get(f"{V1}/integrity")).json()["control"] if one["role"] == "inventory"
    ]
    assert (stock["accounts"], stock["balance"], stock["sub_ledger"]) == (["1400", "1401"], 130, 130)
    # A change that is recorded later moves nothing that is posted.
    await new_account(accounting, "4200", "revenue")
    await mapped(accounting, "2026-01-01", revenue="4200")
    assert await balances(accounting) == found
    await accounting.deliver(dispatched([line(1, 0)]), aggregate_id=uuid7())
    await accounting.deliver(dispatched([line(2, 0)], dispatched_at=february), aggregate_id=uuid7())
    found = await balances(accounting)
    assert (found["4000"], found["4200"], found["4100"]) == (-7, -1, -12)
    assert (await accounting.prove()).proven


async def test_what_moves_on_from_a_locked_period_takes_the_accounts_of_the_day_it_is_posted_on(
    accounting: Harness,
) -> None:
    await put(accounting, chart="general")
    await new_account(accounting, "4100", "revenue")
    await mapped(accounting, "2026-02-01", revenue="4100")
    january = {"name": "1", "first_day": "2026-01-01", "last_day": "2026-01-31"}
    period = (await accounting.client.post(f"{V1}/periods", json=january)).json()
    await accounting.client.post(f"{V1}/periods/{period['id']}/lock")
    await accounting.deliver(dispatched([line(7, 0)]), aggregate_id=uuid7())
    assert (await balances(accounting))["4100"] == -7
    refused = await mapped(accounting, "2026-01-15", 409, revenue="4000")
    assert (refused["type"], refused["errors"][0]["field"]) == ("urn:tailrace:problem:period-locked", "/since")


async def test_a_role_that_cannot_be_mapped_is_named(accounting: Harness) -> None:
    await put(accounting, chart="general")
    await new_account(accounting, "4100", "revenue")
    await new_account(accounting, "1500", "asset")
    lines = [{"account": "1500", "currency": "EUR", "debit": 1}, {"account": "1000", "currency": "EUR", "credit": 1}]
    await accounting.client.post(f"{V1}/journals", json={"text": "x", "lines": lines})
    for roles, fields in (
        ({"revenue": "4999"}, ["/roles/0/account"]),
        ({"revenue": "1000"}, ["/roles/0/account"]),
        ({"inventory": "1210"}, ["/roles/0/account"]),
        ({"inventory": "1500"}, ["/roles/0/account"]),
        ({"production_clearing": "1400"}, ["/roles/0/account"]),
        ({"revenue": "4100", "output_tax": "6000", "inventory": "1210"}, ["/roles/1/account", "/roles/2/account"]),
    ):
        refused = await mapped(accounting, "2026-02-01", 422, **roles)
        assert sorted(error["field"] for error in refused["errors"]) == fields, roles
    assert (await mapped(accounting, "2026-02-01", 422, sales="4100"))["errors"][0]["field"] == "/roles/0/role"
    body = {"since": "2026-02-01", "roles": [{"role": "revenue", "account": "4100"}]}
    twice = await accounting.client.post(f"{V1}/chart/roles", json={**body, "roles": body["roles"] * 2})  # type: ignore[operator]
    assert (twice.status_code, twice.json()["errors"][0]["field"]) == (422, "/roles/1/role")
    stale = await accounting.client.post(f"{V1}/chart/roles", json=body, headers={"If-Match": '"7"'})
    assert stale.status_code == 412
    assert (await accounting.client.get(f"{V1}/chart")).json()["version"] == 1


async def test_a_company_moves_to_a_whole_chart_at_a_date(accounting: Harness) -> None:
    await accounting.deliver(received(500), aggregate_id=uuid7())
    clash = OWN.replace("1210,Bank,asset", "1210,Bank,liability")
    assert await faults(accounting, clash, since="2026-02-01") == [
        "Row 2, column kind: account 1210 exists and is of kind asset.",
        "Row 8, column kind: account 2200 exists and is of kind liability.",
        "Row 12, column kind: account 4000 exists and is of kind revenue.",
    ]
    taken = "code,name,kind,role\n1500,Goods,asset,inventory\n1400,Inventory,asset,unbilled_receivable\n"
    assert await faults(accounting, taken, since="2026-02-01") == [
        "Row 3, column role: 1400 is the account of inventory; a control account has one role.",
    ]
    assert "1500" not in await accounts(accounting)
    chart = await put(accounting, chart="japan", since="2026-02-01")
    assert [one["since"] for one in chart["roles"]] == [None] * len(ROLES) + ["2026-02-01"] * len(ROLES)
    await accounting.deliver(received(30), aggregate_id=uuid7())
    await accounting.deliver(received(7, effective_at=datetime(2026, 2, 2, tzinfo=UTC)), aggregate_id=uuid7())
    found = await balances(accounting)
    assert (found["1400"], found["151"]) == (530, 7)
    assert (await accounts(accounting))["151"] == ("商品", "asset")
    assert (await accounting.client.get(f"{V1}/integrity")).json()["intact"]


async def test_further_accounts_come_from_a_file_and_what_is_there_stays(accounting: Harness) -> None:
    await accounting.deliver(received(500), aggregate_id=uuid7())
    more = "code,name,kind\n1400,Renamed,asset\n6100,Travel,expense\n"
    chart = await put(accounting, csv=more, since="2026-02-01")
    assert chart["version"] == 1
    there = await accounts(accounting)
    assert (there["1400"][0], there["6100"]) == ("Inventory", ("Travel", "expense"))


async def test_nobody_means_a_day_that_is_far_off(accounting: Harness) -> None:
    await put(accounting, chart="general")
    await new_account(accounting, "4100", "revenue")
    for day in ("1999-12-31", "2199-01-01"):
        refused = await mapped(accounting, day, 422, revenue="4100")
        said = (refused["type"], refused["errors"][0]["field"])
        assert said == ("urn:tailrace:problem:implausible-date", "/since")
        rate = {"currency": "EUR", "against": "JPY", "day": day, "rate": "160"}
        answer = (await accounting.client.put(f"{V1}/rates", json=rate)).json()
        assert (answer["type"], answer["errors"][0]["field"]) == ("urn:tailrace:problem:implausible-date", "/day")


async def test_an_account_with_a_role_stays_active_and_there(accounting: Harness) -> None:
    await put(accounting, csv=OWN)
    listed = (await accounting.client.get(f"{V1}/accounts", params={"limit": 100})).json()["items"]
    ids = {one["code"]: one["id"] for one in listed}
    for code, status in (("8400", 409), ("3980", 409), ("1400", 204)):
        assert (await accounting.client.delete(f"{V1}/accounts/{ids[code]}")).status_code == status
    off = await accounting.client.put(f"{V1}/accounts/{ids['8400']}", json={"name": "S", "active": False})
    assert (off.status_code, off.json()["type"]) == (409, "urn:tailrace:problem:account-needed")
    assert "revenue" in off.json()["detail"]
    await new_account(accounting, "8500", "revenue")
    await mapped(accounting, "2026-02-01", revenue="8500")
    # It had the role before, and an event of that time may come.
    assert (await accounting.client.delete(f"{V1}/accounts/{ids['8400']}")).status_code == 409


async def test_a_chart_and_the_first_journal_at_once_agree(accounting: Harness) -> None:
    await put(accounting, chart="general")
    chosen, _ = await asyncio.gather(
        accounting.client.put(f"{V1}/chart", json={"csv": OWN}),
        accounting.deliver(received(500), aggregate_id=uuid7()),
    )
    expected = {"3980": 500, "9000": -500} if chosen.status_code == 200 else {"1400": 500, "3900": -500}
    assert await balances(accounting) == expected
    assert (await accounting.prove()).proven


def test_the_roles_of_a_day() -> None:
    days = [datetime(2026, 1, day, tzinfo=UTC).date() for day in range(1, 5)]
    roles = RoleMap(
        (
            RolesFrom(roles={"revenue": "a", "inventory": "i"}),
            RolesFrom(since=days[2], roles={"revenue": "c"}),
            RolesFrom(since=days[1], roles={"revenue": "b"}),
            RolesFrom(since=days[2], roles={"revenue": "d"}),
        )
    )
    assert [roles.account("revenue", day) for day in days] == ["a", "b", "d", "d"]
    assert roles.accounts("revenue") == {"a", "b", "c", "d"}
    assert (roles.roles("i"), roles.control) == (frozenset({"inventory"}), {"i": "inventory"})
    assert RoleMap.read(roles.stored()) == roles
