"""A process of notifications dies at each step between an event and its messages in Slack and Teams, and their servers fail while another goes on:
each channel has each message once by its key, and none is lost."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from asking import free_port, listens
from failpoints import Failpoint
from forkserver import ForkServer
from partner import DROP, Asked, PartnerListener, answer

from contracts.approvals import ApprovalAssigned, ApprovalSubject
from notifications.service import service
from stubs.routes.chat import SlackMessage, TeamsMessage
from tailrace.core.ids import uuid7
from tailrace_testing import Harness, MakeHarness
from tailrace_testing.gateway import eventually

TOLD, PROGRAMS = 4, ("slack", "teams")
_RUNNER = "tailrace.errands.runner:ErrandRunner"
DEATHS = {
    "taken": Failpoint(f"{_RUNNER}.take", "after", nth=1),
    "about to call": Failpoint("tailrace.errands.calls:Caller.call", "before", nth=3),
    "answered": Failpoint("tailrace.errands.calls:Caller.call", "after", nth=3),
    "noted, not committed": Failpoint("tailrace.errands.errands:Errand.apply", "after", nth=3),
    "settled": Failpoint(f"{_RUNNER}._apply", "after", nth=3),
}


async def _told(h: Harness, partner: PartnerListener) -> list[str]:
    """A company with a channel in each program, where approvals are asked for; the numbers of their documents."""
    for program in PROGRAMS:
        body = {"code": program, "name": program.title(), "service": program, "kinds": ["approval.requested"]}
        where = {"address": f"{partner.url}/{program}/", "secret": f"file:{h.tenant}.{program}"}
        made = await h.client.post("/v1/notification-channels", json={**body, **where})
        assert made.status_code == 201, made.text
    numbers = [f"Q-{number}" for number in range(TOLD)]
    for number in numbers:
        subject = ApprovalSubject(kind="quote", id=uuid7(), number=number, sha256="0" * 64, amount=1, currency="EUR")
        event = ApprovalAssigned(approval_id=uuid7(), subject=subject, task_id=uuid7(), step="first", user_ids=[h.user])
        await h.deliver(event, aggregate_id=event.approval_id)
    return numbers


async def _left(h: Harness) -> int:
    left = "SELECT (SELECT count(*) FROM delivery WHERE way <> 'email' AND status <> 'sent') + (SELECT count(*) FROM errand_turn)"
    return int(await h.admin.fetchval(left))


def _title(asked: Asked) -> str:
    """What a message is about, when it is one that its program takes."""
    if asked.line.startswith("POST /slack/"):
        return SlackMessage.model_validate_json(asked.body).text
    return str(TeamsMessage.model_validate_json(asked.body).attachments[0].content.body[0]["text"])


@pytest.mark.parametrize("where", DEATHS)
async def test_each_is_posted_once_wherever_a_process_dies_and_whatever_its_server_says(
    where: str, make_harness: MakeHarness, forkserver: ForkServer, keys_url: str, tmp_path: Path
) -> None:
    h = await make_harness(service)
    for program in PROGRAMS:
        (tmp_path / f"{h.tenant}.{program}").write_text(f"T1/hush-{program}\n")
    fine, taken = answer(body=b"ok", kind="text/plain"), list[Asked]()
    failing: list[bytes] = []

    def decide(asked: Asked) -> bytes:
        if failing:
            return failing.pop()
        taken.append(asked)
        return fine

    async with PartnerListener(decide=decide) as partner:
        numbers = await _told(h, partner)
        settings: dict[str, Any] = {
            "database_url": h.settings.database_url,
            "jwks_url": keys_url,
            "log_level": "ERROR",
            "storage": h.settings.storage,
            "secrets": str(tmp_path),
            "errands_allow": [partner.target],
            "errand_grace": 1.0,
        }
        for points in ([DEATHS[where]], []):
            own = free_port()
            life = forkserver.start("serve", points, service="notifications", settings=settings, port=own)
            try:
                await listens(own)
                if points:
                    await life.struck()
                    failing = [answer(429, headers={"Retry-After": "1"}), DROP, answer(503)]
                    # Their leases end a second after the twenty that a try may take.
                    await h.admin.execute("UPDATE errand_turn SET due_at = now()")
                else:
                    await eventually(lambda: _left(h), lambda left: left == 0, what="nothing left to post")
            finally:
                await life.kill()
    for program in PROGRAMS:
        messages = [asked for asked in taken if asked.line.startswith(f"POST /{program}/T1/hush-{program} ")]
        by_key = {asked.headers["idempotency-key"]: _title(asked) for asked in messages}
        assert Counter(by_key.values()) == Counter(f"{number} waits for your approval" for number in numbers)
    assert failing == [] or where == "settled", "nothing failed"
    if where in {"answered", "noted, not committed"}:
        assert len(taken) > TOLD * len(PROGRAMS), "posted again, under the same key"
