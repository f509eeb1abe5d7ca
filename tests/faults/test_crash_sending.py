"""A process of notifications dies at each step between an event and its mail: each is told once, and mailed once by its key, and none is lost."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from typing import Any
from uuid import UUID

import pytest
from asking import free_port, listens
from failpoints import Failpoint
from forkserver import ForkServer

from contracts.approvals import ApprovalAssigned, ApprovalSubject
from contracts.users import UserCreated
from notifications.service import service
from stubs.books import Books
from stubs.faults import Faults
from stubs.log import Entry
from stubs.smtp import Sink
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

TOLD = 6
_RUNNER = "tailrace.errands.runner:ErrandRunner"
_DUE = "notifications.mailing:"
DEATHS = {
    "a digest put together, not committed": Failpoint(f"{_DUE}plan", "after", nth=3),
    "a digest committed": Failpoint("tailrace.messaging.timers:TimerRunner._fire_one", "after", nth=3),
    "taken": Failpoint(f"{_RUNNER}.take", "after", nth=2),
    "about to hand in": Failpoint("tailrace.errands.mail:hand_in", "before", nth=3),
    "handed in": Failpoint("tailrace.errands.mail:hand_in", "after", nth=3),
    "noted, not committed": Failpoint("tailrace.errands.errands:Errand.apply", "after", nth=3),
    "settled": Failpoint(f"{_RUNNER}._apply", "after", nth=3),
}


@pytest.fixture
async def sink() -> AsyncIterator[tuple[Books, deque[Entry], int]]:
    books, log = Books(), deque[Entry]()
    async with await asyncio.start_server(Sink(books, Faults(), log).serve, "127.0.0.1", 0) as server:
        yield books, log, server.sockets[0].getsockname()[1]


async def _told(h: Harness) -> list[UUID]:
    """Everybody of a company of six, of whom each wants a daily digest, is asked for an approval."""
    people = [uuid7() for _ in range(TOLD)]
    choices = [{"kind": "approval.requested", "way": "email", "how": "digest"}]
    for number, id in enumerate(people):
        user = UserCreated(user_id=id, email=f"u{number}@acme.example", name=f"U{number}", roles=["manager"])
        await h.deliver(user, aggregate_id=id)
        put = await h.client_as(user=id).put("/v1/notifications/preferences", json={"choices": choices})
        assert put.status_code == 200, put.text
    subject = ApprovalSubject(kind="quote", id=uuid7(), number="Q-1", sha256="0" * 64, amount=1, currency="EUR")
    event = ApprovalAssigned(approval_id=uuid7(), subject=subject, task_id=uuid7(), step="first", user_ids=people)
    await h.deliver(event, aggregate_id=event.approval_id)
    # The hour of the digest has come, while nothing ran.
    await h.admin.execute("UPDATE delivery SET due_at = now() - interval '1 second'")
    await h.make_timers_due()
    return people


async def _left(h: Harness) -> int:
    left = "SELECT (SELECT count(*) FROM delivery WHERE status <> 'sent') + (SELECT count(*) FROM errand_turn)"
    return int(await h.admin.fetchval(left))


@pytest.mark.parametrize("where", DEATHS)
async def test_each_is_mailed_once_wherever_a_process_dies(
    where: str, make_harness: MakeHarness, forkserver: ForkServer, keys_url: str, sink: tuple[Books, deque[Entry], int]
) -> None:
    books, log, port = sink
    h = await make_harness(service)
    people = await _told(h)
    at = f"127.0.0.1:{port}"
    settings: dict[str, Any] = {
        "database_url": h.settings.database_url,
        "jwks_url": keys_url,
        "log_level": "ERROR",
        "storage": h.settings.storage,
        "partners": {"smtp": {"url": f"smtp://{at}", "sender": "no-reply@acme.example"}},
        "errands_allow": [at],
        "errand_grace": 1.0,
    }
    for points in ([DEATHS[where]], []):
        own = free_port()
        life = forkserver.start("serve", points, service="notifications", settings=settings, port=own)
        try:
            await listens(own)
            if points:
                await life.struck()
            else:
                # Their leases end a second after the twenty that a try may take.
                await h.admin.execute("UPDATE errand_turn SET due_at = now()")
                await eventually(lambda: _left(h), lambda left: left == 0, what="nothing left to send")
        finally:
            await life.kill()
    mails = books.kept["smtp"].values()
    assert sorted(to for mail in mails for to in mail["to"]) == [f"u{number}@acme.example" for number in range(TOLD)]
    if where in {"handed in", "noted, not committed"}:
        assert len(log) > TOLD, "handed in again, under the same key"
    created = await h.published("notification.created")
    assert sorted(each.event.model_dump()["user_id"] for each in created) == sorted(people)
