"""Who sees which meetings and tasks: one's own, those of one's teams, or all, on every list, read, search, file and calendar."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import httpx2
import pytest

from contracts.users import TeamUpdated
from tailrace.core.ids import uuid7

from .conftest import FEEDS, MEETINGS, TASKS, Desk, now

OWN = "meetings:read:own meetings:write:own tasks:read:own tasks:write:own"
TEAM = OWN.replace(":own", ":team")


@pytest.fixture
async def theirs(desk: Desk) -> dict[str, dict[str, Any]]:
    """A late task and a meeting of Bo's, and of Cy's."""
    made: dict[str, dict[str, Any]] = {}
    late = (now() - timedelta(days=365)).isoformat()
    for name, id in (("bo", desk.bo), ("cy", desk.cy)):
        made[f"task {name}"] = await desk.task(f"Plan {name}", user_id=str(id), due_at=late, customer_id=str(desk.ada))
        made[f"meeting {name}"] = await desk.meeting(f"Plan {name}", owner_id=str(id), next_step="Call")
    return made


def paths(desk: Desk) -> list[str]:
    return [
        TASKS,
        f"{TASKS}/overdue",
        f"{TASKS}/search?q=plan",
        MEETINGS,
        f"{MEETINGS}/search?q=plan",
        f"{MEETINGS}/customer/{desk.ada}",
    ]


async def seen(client: httpx2.AsyncClient, path: str) -> set[str]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    found = {item["title"] for item in answer.json()["items"]}
    file = await client.get(path, headers={"Accept": "text/csv"})
    assert {name for name in ("Plan bo", "Plan cy") if name in file.text} == found, "the file shows as much"
    return found


async def test_every_list_shows_as_far_as_one_reaches(desk: Desk, theirs: dict[str, Any]) -> None:
    lead, team = uuid7(), uuid7()
    told = TeamUpdated(team_id=team, name="T", lead_id=lead, member_ids=[desk.cy])
    await desk.h.deliver(told, aggregate_id=team)
    own, leading = desk.h.client_as(OWN, user=desk.bo), desk.h.client_as(TEAM, user=lead)
    nobody = desk.h.client_as(OWN, user=uuid7())
    for path in paths(desk):
        assert await seen(own, path) == {"Plan bo"}, path
        assert await seen(leading, path) == {"Plan cy"}, path
        assert await seen(nobody, path) == set(), path
        assert await seen(desk.h.client, path) == {"Plan bo", "Plan cy"}, path


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PUT", "", {"title": "Mine"}),
        ("PATCH", "/status", {"status": "done"}),
        ("DELETE", "", None),
    ],
)
async def test_anothers_task_is_not_there(
    desk: Desk, theirs: dict[str, Any], method: str, path: str, body: Any
) -> None:
    bo, events = desk.h.client_as(OWN, user=desk.bo), len(await desk.h.published())
    answer = await bo.request(method, f"{TASKS}/{theirs['task cy']['id']}{path}", json=body)
    assert (answer.status_code, len(await desk.h.published())) == (404, events)


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "", None),
        ("PATCH", "/status", {"status": "held"}),
        ("POST", "/tasks", {}),
        ("DELETE", "", None),
    ],
)
async def test_anothers_meeting_is_not_there(
    desk: Desk, theirs: dict[str, Any], method: str, path: str, body: Any
) -> None:
    bo, events = desk.h.client_as(OWN, user=desk.bo), len(await desk.h.published())
    answer = await bo.request(method, f"{MEETINGS}/{theirs['meeting cy']['id']}{path}", json=body)
    assert (answer.status_code, len(await desk.h.published())) == (404, events)


async def test_nothing_is_given_to_somebody_out_of_reach(desk: Desk, theirs: dict[str, Any]) -> None:
    bo = desk.h.client_as(OWN, user=desk.bo)
    for name in ("user_id", None):
        body = {"title": "For Cy", **({name: str(desk.cy)} if name else {})}
        answer = await bo.post(TASKS, json=body)
        assert answer.status_code == (403 if name else 201), answer.text
    body = {"title": "Given away", "user_id": str(desk.cy)}
    given = await bo.put(f"{TASKS}/{theirs['task bo']['id']}", json=body)
    assert (given.status_code, given.json()["type"]) == (403, "urn:tailrace:problem:out-of-reach")
    csv = {"Content-Type": "text/csv"}
    assert (await bo.post(f"{TASKS}/import", content=b"title\nEve\n", headers=csv)).status_code == 403


async def link(desk: Desk, user: UUID, **body: Any) -> tuple[dict[str, Any], str]:
    client = desk.h.client_as("meetings:read tasks:read", user=user)
    feed = (await client.post(FEEDS, json=body)).json()
    return feed, (await client.get(f"{FEEDS}/{feed['id']}/link")).json()["path"]


async def test_a_calendar_shows_its_users_own_rows_and_nobody_elses_feed_is_there(
    desk: Desk, theirs: dict[str, Any]
) -> None:
    feed, path = await link(desk, desk.bo)
    body = {"title": "Plan bo soon", "user_id": str(desk.bo), "due_on": f"{now():%Y-%m-%d}"}
    await desk.h.client.post(TASKS, json=body)
    text = (await desk.h.anonymous().get(path)).text
    assert ("Plan bo" in text, "Plan bo soon" in text, "Plan cy" in text) == (True, True, False)
    wide = desk.h.client_as("*", user=desk.cy)
    assert (await wide.get(FEEDS)).json()["items"] == []
    for method, more in (("GET", ""), ("GET", "/link"), ("POST", "/renew"), ("DELETE", "")):
        assert (await wide.request(method, f"{FEEDS}/{feed['id']}{more}")).status_code == 404
