"""Who sees which customers: one's own, those of one's teams and the teams below, or all; another's is one that is not there."""

from typing import Any
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import exists, func, select

from contracts.users import TeamCreated, TeamDeleted, TeamRestored, TeamUpdated
from customers.models import Customer, Person
from tailrace.core.ids import uuid7
from tailrace.db.text_search import search

from .conftest import AT, Sales

OWN = "customers:read:own customers:write:own customers:assign:own customers:credit:own customers:merge:own"
TEAM = OWN.replace(":own", ":team")


@pytest.fixture
async def theirs(sales: Sales) -> dict[str, dict[str, Any]]:
    """A customer of Bo's, one of Cy's, and one of nobody's."""
    made = {name: await sales.create(f"Ada {name}") for name in ("bo", "cy", "nobody")}
    return {
        "bo": await sales.assigned(made["bo"], sales.bo),
        "cy": await sales.assigned(made["cy"], sales.cy),
        "nobody": made["nobody"],
    }


async def seen(client: httpx2.AsyncClient, path: str = AT, **query: Any) -> set[str]:
    answer = await client.get(path, params=query)
    assert answer.status_code == 200, answer.text
    return {item["name"] for item in answer.json()["items"]}


async def team(sales: Sales, *members: UUID, id: UUID | None = None, **said: Any) -> UUID:
    id = id or uuid7()
    await sales.h.deliver(TeamUpdated(team_id=id, name="T", member_ids=list(members), **said), aggregate_id=id)
    return id


async def test_one_who_reaches_their_own_finds_no_others(sales: Sales, theirs: dict[str, Any]) -> None:
    bo = sales.h.client_as(OWN, user=sales.bo)
    assert await seen(bo) == await seen(bo, f"{AT}/search", q="ada") == {"Ada bo"}
    assert await seen(bo, f"{AT}/by-sales/{sales.cy}") == set()
    assert await seen(bo, sales_rep_id=str(sales.cy)) == set()
    assert (await bo.get(f"{AT}/{theirs['bo']['id']}")).status_code == 200
    for other in ("cy", "nobody"):
        assert (await bo.get(f"{AT}/{theirs[other]['id']}")).status_code == 404


@pytest.mark.parametrize("ways", [{}, {"sort": "-id"}, {"sort": "name"}])
@pytest.mark.parametrize("most", [4_000, 0])
async def test_a_customer_is_found_by_whom_it_was_handed_to(
    sales: Sales, theirs: dict[str, Any], monkeypatch: pytest.MonkeyPatch, ways: dict[str, str], most: int
) -> None:
    """However it is looked for; also when nothing but its owner changed, so that its texts were not cut again."""
    for bound in ("MOST_LOOKED_UP", "MOST_IN_ORDER"):
        monkeypatch.setattr(f"tailrace.db.text_search.search.{bound}", most)
    monkeypatch.setattr("tailrace.db.text_search.search_order.WALKED", (most, most, most))
    bo, cy = (sales.h.client_as(OWN, user=user) for user in (sales.bo, sales.cy))

    async def found() -> list[set[str]]:
        return [await seen(client, f"{AT}/search", q="ada", **ways) for client in (bo, cy)]

    assert await found() == [{"Ada bo"}, {"Ada cy"}]
    await sales.assigned(theirs["bo"], sales.cy)
    assert await found() == [set(), {"Ada bo", "Ada cy"}]
    await sales.assigned(theirs["nobody"], sales.bo)
    await sales.put(theirs["nobody"], "", name="Ada somebody", currency="EUR")
    assert await found() == [{"Ada somebody"}, {"Ada bo", "Ada cy"}]
    await sales.assigned(await sales.read(theirs["cy"]), None)
    assert await found() == [{"Ada somebody"}, {"Ada bo"}]


async def test_nobody_elses_rows_are_looked_up(sales: Sales, theirs: dict[str, Any]) -> None:
    """An entry names the owner of its row, and none that it had before."""
    await sales.assigned(theirs["bo"], sales.cy)
    marked = "SELECT count(*) FROM search_entry WHERE kind = 'customer' AND \"by\" = 'text' AND marks && $1::bigint[]"
    for owner, rows in ((sales.bo, 0), (sales.cy, 2)):
        marks = search._hashes(Customer, sales.h.tenant, search.TEXT, [f"{search._OWNER}{owner}"])
        assert await sales.h.admin.fetchval(marked, marks) == rows


async def test_what_one_takes_away_in_a_file_reaches_no_further(sales: Sales, theirs: dict[str, Any]) -> None:
    bo = sales.h.client_as(OWN, user=sales.bo)
    for path in (AT, f"{AT}/search?q=ada"):
        answer = await bo.get(path, headers={"Accept": "text/csv"})
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/csv")
        assert [name for name in ("Ada bo", "Ada cy", "Ada nobody") if name in answer.text] == ["Ada bo"]
    csv = {"Content-Type": "text/csv"}
    wider = sales.h.client_as(f"{OWN} customers:pii", user=sales.bo)
    assert (await wider.post(f"{AT}/import", content=b"name\nEve\n", headers=csv)).status_code == 403


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "", {"name": "Mine now", "currency": "EUR"}),
        ("DELETE", "", None),
        ("POST", "/assign", {"sales_rep_id": None}),
        ("PUT", "/credit", {"credit_limit": 5, "reason": "Because"}),
        ("POST", "/people", {"name": "Eve"}),
        ("GET", "/duplicates", None),
        ("POST", "/unmerge", {"reason": "Because"}),
    ],
)
async def test_anothers_customer_is_not_there_to_be_changed(
    sales: Sales, theirs: dict[str, Any], method: str, path: str, body: Any
) -> None:
    bo = sales.h.client_as(OWN, user=sales.bo)
    answer = await bo.request(method, f"{AT}/{theirs['cy']['id']}{path}", json=body)
    assert answer.status_code == 404, answer.text
    assert (await sales.read(theirs["cy"]))["version"] == theirs["cy"]["version"]


async def test_a_merge_reaches_no_further(sales: Sales, theirs: dict[str, Any]) -> None:
    bo = sales.h.client_as(OWN, user=sales.bo)
    into = {"into_customer_id": theirs["cy"]["id"], "reason": "The same"}
    assert (await bo.post(f"{AT}/{theirs['bo']['id']}/merge", json=into)).status_code == 404


async def test_what_one_makes_is_ones_own_and_is_given_to_nobody_out_of_reach(
    sales: Sales, theirs: dict[str, Any]
) -> None:
    bo = sales.h.client_as(OWN, user=sales.bo)
    made = await bo.post(AT, json={"name": "New", "currency": "EUR"})
    assert (made.status_code, made.json()["sales_rep_id"]) == (201, str(sales.bo))
    for to in (str(sales.cy), None):
        given = await bo.post(f"{AT}/{made.json()['id']}/assign", json={"sales_rep_id": to})
        assert (given.status_code, given.json()["type"]) == (403, "urn:tailrace:problem:out-of-reach")
        assert given.json()["errors"][0]["field"] == "/sales_rep_id"
    stranger = sales.h.client_as(OWN, user=uuid7())
    assert (await stranger.post(AT, json={"name": "New", "currency": "EUR"})).status_code == 409, "not known here yet"


async def test_numbers_and_uses_are_everybodys(sales: Sales, theirs: dict[str, Any]) -> None:
    """What the service checks for itself it checks on all rows."""
    bo = sales.h.client_as(OWN, user=sales.bo)
    body = {"name": "New", "currency": "EUR"}
    taken = await bo.post(AT, json={**body, "number": theirs["cy"]["number"]})
    assert taken.json()["type"] == "urn:tailrace:problem:code-taken"
    await sales.put(theirs["cy"], "", name="Ada cy", currency="EUR", number="C-000004")
    assert (await bo.post(AT, json=body)).json()["number"] == "C-000005"
    await sales.act(theirs["cy"], "merge", into_customer_id=theirs["bo"]["id"], reason="The same")
    used = await bo.delete(f"{AT}/{theirs['bo']['id']}")
    assert (used.status_code, used.json()["type"]) == (409, "urn:tailrace:problem:in-use")


async def test_a_team_sees_its_members_and_the_teams_below_at_once(sales: Sales, theirs: dict[str, Any]) -> None:
    lead = sales.h.client_as(TEAM, user=(ada := uuid7()))
    assert await seen(lead) == set()
    above = await team(sales, lead_id=ada)
    below = await team(sales, sales.bo, parent_id=above)
    assert await seen(lead) == {"Ada bo"}
    assert await seen(sales.h.client_as(TEAM, user=sales.bo)) == {"Ada bo"}, "nobody sees what lies above"
    await team(sales, sales.bo, sales.cy, id=below, parent_id=above)
    assert await seen(lead) == await seen(sales.h.client_as(TEAM, user=sales.bo)) == {"Ada bo", "Ada cy"}
    assert await seen(sales.h.client_as(OWN, user=sales.bo)) == {"Ada bo"}
    given = await lead.post(f"{AT}/{theirs['bo']['id']}/assign", json={"sales_rep_id": str(sales.cy)})
    assert given.status_code == 200
    await sales.h.deliver(TeamDeleted(team_id=below), aggregate_id=below)
    assert await seen(lead) == set()
    again = TeamRestored(team_id=below, name="T", parent_id=above, member_ids=[sales.cy])
    await sales.h.deliver(again, aggregate_id=below)
    assert await seen(lead) == {"Ada bo", "Ada cy"}
    assert await seen(sales.h.client_as(TEAM, user=sales.bo)) == set(), "who left meanwhile is in it no more"


async def test_teams_in_a_circle_end(sales: Sales, theirs: dict[str, Any]) -> None:
    one, other = uuid7(), uuid7()
    await team(sales, sales.bo, id=one, parent_id=other)
    await sales.h.deliver(TeamCreated(team_id=other, name="O", parent_id=one), aggregate_id=other)
    assert await seen(sales.h.client_as(TEAM, user=sales.bo)) == {"Ada bo"}


async def test_each_scope_has_a_reach_of_its_own(sales: Sales, theirs: dict[str, Any]) -> None:
    bo = sales.h.client_as("customers:read customers:write:own", user=sales.bo)
    assert await seen(bo) == {"Ada bo", "Ada cy", "Ada nobody"}
    body = {"name": "Better", "currency": "EUR"}
    assert (await bo.put(f"{AT}/{theirs['cy']['id']}", json=body)).status_code == 404
    assert (await bo.put(f"{AT}/{theirs['bo']['id']}", json=body)).status_code == 200
    assert (await bo.post(f"{AT}/{theirs['bo']['id']}/assign", json={"sales_rep_id": None})).status_code == 403


async def test_every_query_of_the_orm_is_narrowed(sales: Sales, theirs: dict[str, Any]) -> None:
    """Counts, subqueries, columns, joins, lazy loads, and parts without their root."""
    for name in ("bo", "cy"):
        await sales.act(theirs[name], "people", 201, name=f"Eve of {name}")
    async with sales.h.tx() as tx:
        tx.narrow([sales.bo])
        one, other = UUID(theirs["bo"]["id"]), UUID(theirs["cy"]["id"])
        assert await tx.scalar(select(func.count()).select_from(Customer)) == 1
        assert await tx.scalar(select(func.count()).select_from(select(Customer.id).subquery())) == 1
        assert (await tx.scalars(select(Customer.name))).all() == ["Ada bo"]
        assert (await tx.scalars(select(Person.name))).all() == ["Eve of bo"]
        assert (await tx.scalars(select(Person.name).join(Customer))).all() == ["Eve of bo"]
        assert await tx.scalar(select(exists(select(Customer.id).where(Customer.id == other)))) is False
        assert await tx.get(Customer, (tx.tenant_id, other)) is None
        [person] = (await tx.scalars(select(Person))).all()
        assert [each.name for each in (await tx.find(Customer, one)).people] == ["Eve of bo"]
        assert person.customer_id == one
        with tx.seeing_all():
            assert await tx.scalar(select(func.count()).select_from(Customer)) == 3
        tx.narrow([sales.bo, sales.cy])
        assert await tx.scalar(select(func.count()).select_from(Customer)) == 1, "narrowed twice is not widened"
