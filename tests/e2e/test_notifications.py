"""On the real stack: who is to decide hears of an approval by a stream through the gateway and by one mail, and nobody else does."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Any

import httpx2

from tailrace.stack.embedded import Stack
from tailrace.stack.layout import HOST
from tailrace_testing.gateway import PASSWORD, Gateway, Member, eventually

NEWS = "/v1/notifications"
WITHIN = 120


async def hired(gateway: Gateway, admin: Member, role: str) -> Member:
    """Somebody of the company with this role, logged in."""
    email = f"{role}@{admin.slug}.example"
    body = {"email": email, "name": role.title(), "password": PASSWORD, "roles": [role]}
    await admin.post("/v1/auth/users", body)
    return await gateway.log_in(admin.slug, email)


async def events(member: Member, last: str) -> AsyncGenerator[tuple[str, dict[str, Any]], None]:
    """The id and the data of each notification that comes behind `last` by a stream of the member's; ends as the stream does."""
    headers = {"Authorization": f"Bearer {member.token}", "Last-Event-ID": last}
    async with member.client.stream("GET", f"{NEWS}/stream", headers=headers, timeout=WITHIN) as answer:
        assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (200, "text/event-stream")
        said: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            said[name] = value
            if not line:
                if said.get("event") == "notification":
                    yield said["id"], json.loads(said["data"])
                said = {}


async def test_who_is_to_decide_hears_of_it_once_and_nobody_else(gateway: Gateway, fleet: Stack) -> None:
    admin = await gateway.new_tenant()
    boss, clerk = await hired(gateway, admin, "manager"), await hired(gateway, admin, "warehouse")
    stubs = f"http://{HOST}:{fleet.plan.ports.services['stubs']}"

    async def mails() -> list[dict[str, Any]]:
        async with httpx2.AsyncClient(base_url=stubs, timeout=60) as client:
            return list((await client.get("/smtp/messages", params={"to": boss.email})).json())

    who = (await boss.get("/v1/auth/me"))["id"]
    # Who is told by name has to be known there, and so is their address from then on.
    await eventually(
        lambda: admin.send("POST", NEWS, json={"title": "Welcome", "user_ids": [who]}),
        lambda answer: answer.status_code == 201,
        what="the manager known",
    )
    async with asyncio.timeout(WITHIN), aclosing(events(boss, "0")) as stream:
        first, welcome = await anext(stream)
        assert (first, welcome["title"]) == ("1", "Welcome")
        steps = [{"side_by_side": [{"approvers": f"user:{who}"}]}]
        asked = await admin.post("/v1/approvals", {"title": "A new forklift", "steps": steps})
        place, told = await anext(stream)
        assert (place, told["kind"], told["document_id"]) == ("2", "approval.requested", asked["id"])
        assert told["link"] == f"/v1/approvals/{asked['id']}"
        assert (await boss.get(told["link"]))["id"] == asked["id"]
        (mail,) = await eventually(mails, bool, what="the mail")
        assert mail["subject"] == told["title"]
        assert [one["id"] for one in (await boss.get(f"{NEWS}/unread"))["items"]] == [told["id"], welcome["id"]]
        assert await boss.patch(f"{NEWS}/read-all") == {"count": 2}
        assert (await boss.get(f"{NEWS}/unread"))["count"] == 0
        assert (await clerk.get(NEWS))["items"] == []
        assert await mails() == [mail]
        # Whose session is over hears nothing more.
        await gateway.client.post("/v1/auth/logout", json={"refresh_token": boss.refresh_token})
        assert [one async for one in stream] == []
    assert (await boss.send("GET", f"{NEWS}/stream")).status_code == 401
