"""The rules of partners, on PostgreSQL."""

from partners.service import service
from tailrace_testing import MakeHarness

AT = "/v1/partners"


async def test_one_is_created_changed_retired_and_published(make_harness: MakeHarness) -> None:
    partners = await make_harness(service)
    created = await partners.client.post(AT, json={"code": "A1", "name": "First"})
    assert (created.status_code, created.headers["etag"]) == (201, '"1"')
    here = f"{AT}/{created.json()['id']}"
    changed = await partners.client.put(here, json={"code": "A1", "name": "Better"}, headers={"If-Match": '"1"'})
    assert (changed.json()["name"], changed.json()["version"]) == ("Better", 2)
    assert (await partners.client.post(f"{here}/retire", json={})).json()["retired_at"] is not None
    again = await partners.client.post(f"{here}/retire", json={})
    assert (again.status_code, again.json()["type"]) == (409, "urn:tailrace:problem:partner-retired")
    assert [event.type for event in await partners.published()] == [
        "partner.created",
        "partner.changed",
        "partner.retired",
    ]


async def test_a_code_belongs_to_one_until_that_one_is_retired(make_harness: MakeHarness) -> None:
    partners = await make_harness(service)
    first = (await partners.client.post(AT, json={"code": "A1", "name": "First"})).json()
    second = await partners.client.post(AT, json={"code": "A1", "name": "Second"})
    assert (second.status_code, second.json()["errors"][0]["field"]) == (409, "/code")
    await partners.client.post(f"{AT}/{first['id']}/retire", json={})
    assert (await partners.client.post(AT, json={"code": "A1", "name": "Second"})).status_code == 201


async def test_the_tally_counts_each_once(make_harness: MakeHarness) -> None:
    partners = await make_harness(service)
    ids = [(await partners.client.post(AT, json={"code": code, "name": code})).json()["id"] for code in "ABC"]
    await partners.client.post(f"{AT}/{ids[0]}/retire", json={})
    await partners.pump()
    assert (await partners.client.get(f"{AT}/tally")).json() == {"active": 2, "retired": 1}
