"""Partners by HTTP: who may, what is refused, what is said, and whose they are. What comes of it at Kafka is in test_at_kafka.py."""

import pytest

from partners.service import service
from tailrace_testing import MakeHarness

AT = "/v1/partners"
BODY = {"name": "Freight desk", "types": ["order.confirmed", "order.cancelled", "order.confirmed"]}


async def test_what_is_asked_for_is_said_and_the_password_to_those_alone_who_give_access(
    make_harness: MakeHarness,
) -> None:
    partners = await make_harness(service)
    made = await partners.client.post(AT, json=BODY)
    assert (made.status_code, made.headers["etag"]) == (201, '"1"')
    said = made.json()
    here = f"{AT}/{said['id']}"
    assert (said["types"], said["personal"], said["status"]) == (
        ["order.cancelled", "order.confirmed"],
        "omitted",
        "opening",
    )
    assert (said["user"], said["topics"]) == (f"partner.{said['id']}", [f"partner.{said['id']}.order.events"])
    read = (await partners.client.get(here)).json()
    assert read == said
    first = (await partners.client.get(f"{here}/credentials")).json()
    assert first["user"] == said["user"]
    assert (await partners.client_as("partners:read").get(f"{here}/credentials")).status_code == 403
    assert (await partners.client.post(f"{here}/rotate", headers={"If-Match": '"1"'})).status_code == 200
    second = (await partners.client.get(f"{here}/credentials")).json()
    assert second["password"] not in (first["password"], None)
    more = {"types": ["shipment.dispatched"], "personal": "plain"}
    granted = (await partners.client.put(f"{here}/grant", json=more, headers={"If-Match": '"2"'})).json()
    assert (granted["personal"], granted["topics"]) == ("plain", [f"partner.{said['id']}.shipment.events"])
    revoked = (await partners.client.post(f"{here}/revoke", headers={"If-Match": '"3"'})).json()
    assert revoked["status"] == "closing"
    for step in ("rotate", "revoke"):
        again = await partners.client.post(f"{here}/{step}", headers={"If-Match": '"4"'})
        assert (again.status_code, again.json()["type"]) == (409, "urn:tailrace:problem:partner-state")
    ended = await partners.client.get(f"{here}/credentials")
    assert (ended.status_code, ended.json()["type"]) == (409, "urn:tailrace:problem:partner-state")
    published = await partners.published()
    assert [each.type for each in published] == [
        "partner.registered",
        "partner.rotated",
        "partner.granted",
        "partner.revoked",
    ]
    assert first["password"] not in "".join(each.event.model_dump_json() for each in published)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"types": ["order.imagined"]}, "/types"),
        ({"types": []}, "/types"),
        ({"personal": "some"}, "/personal"),
        ({"since": "2999-01-01T00:00:00Z"}, "/since"),
        ({"name": ""}, "/name"),
    ],
)
async def test_what_cannot_be_granted_is_refused_by_its_field(
    make_harness: MakeHarness, body: dict[str, object], field: str
) -> None:
    partners = await make_harness(service)
    refused = await partners.client.post(AT, json={**BODY, **body})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, field)
    assert await partners.published() == []


async def test_nobody_sees_or_changes_the_partner_of_another_company(make_harness: MakeHarness) -> None:
    partners = await make_harness(service)
    here = f"{AT}/{(await partners.client.post(AT, json=BODY)).json()['id']}"
    other = partners.client_as(tenant=partners.other_tenant)
    assert (await other.get(here)).status_code == 404
    assert (await other.post(f"{here}/rotate", headers={"If-Match": '"1"'})).status_code == 404
    assert (await other.get(AT)).json()["items"] == []
    assert (await partners.client_as("partners:read").post(f"{here}/revoke")).status_code == 403
    assert (await partners.anonymous().get(here)).status_code == 401


async def test_events_are_given_from_a_day_of_the_companys_on(make_harness: MakeHarness) -> None:
    partners = await make_harness(service)
    await partners.count_days_in("Asia/Tokyo")
    made = await partners.client.post(AT, json={**BODY, "since": "2026-01-31"})
    assert (made.status_code, made.json()["since"]) == (201, "2026-01-30T15:00:00Z")
    refused = await partners.client.post(AT, json={**BODY, "since": "2199-12-31"})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "/since")
