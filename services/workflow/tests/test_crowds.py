"""Documents that are submitted together begin together, and each as it would have alone: once, for its own reason, and in order."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord

from contracts.approvals import ApprovalSubject
from contracts.quotes import QuoteRecalled, QuoteSubmitted
from tailrace.core.events import Event
from tailrace.core.ids import uuid7

from .conftest import AT, Office, row


class Crowd:
    """Events of quotes on their way, each the next of its quote."""

    def __init__(self, office: Office) -> None:
        self.office, self.records = office, list[ConsumerRecord]()
        self._sequences: dict[UUID, int] = {}

    def submit(self, quote: UUID, amount: int = 5) -> str:
        """The id of the event."""
        asked = self.office.people["sue"].id
        said: dict[str, Any] = {
            "kind": "quote",
            "number": "Q-1/1",
            "amount": amount,
            "currency": "EUR",
            "requester_id": asked,
        }
        subject = ApprovalSubject(id=quote, sha256=f"{amount:064}", **said)
        return self._tell(QuoteSubmitted(quote_id=quote, number="Q-1", revision=1, subject=subject), quote)

    def recall(self, quote: UUID) -> str:
        return self._tell(QuoteRecalled(quote_id=quote, number="Q-1", revision=1), quote)

    def _tell(self, event: Event, quote: UUID) -> str:
        self._sequences[quote] = self._sequences.get(quote, 0) + 1
        id = str(uuid7())
        headers = {
            "ce_id": id,
            "ce_type": event.type,
            "ce_source": "/tailrace/quotes",
            "ce_subject": str(quote),
            "ce_time": "2026-03-02T09:00:00+00:00",
            "ce_dataschema": event.schema_uri(),
            "ce_tenantid": str(self.office.h.tenant),
            "ce_sequence": str(self._sequences[quote]),
            "ce_epoch": "1",
            "ce_correlationid": str(uuid7()),
            "ce_actorid": f"service:{id}",
        }
        data = event.model_dump_json().encode()
        self.records.append(self.office.h.record(event.topic, str(quote).encode(), data, headers))
        return id


async def rows(office: Office) -> list[dict[str, Any]]:
    """What was published of approvals, as the outbox has it, in order."""
    found = await office.h.admin.fetch(
        "SELECT type, aggregate_id, sequence, causation_id, correlation_id, actor_id FROM outbox"
        " WHERE topic = 'approval.events' AND type NOT LIKE '%process%' ORDER BY id"
    )
    return [dict(each) for each in found]


def because(told: Sequence[dict[str, Any]], id: str) -> list[str]:
    """What was published because of an event, in the name of who began it."""
    mine = [each for each in told if str(each["causation_id"]) == id]
    assert {each["actor_id"] for each in mine} <= {f"service:{id}"}
    return [str(each["type"]) for each in mine]


async def test_each_of_a_crowd_has_its_own_cause_its_step_and_its_deadline(office: Office) -> None:
    await office.rule(
        row("role:manager", when={"amount": "> 10"}), row("superior", when={"amount": "> 20"}), inputs=["amount"]
    )
    crowd, quotes = Crowd(office), [uuid7() for _ in range(30)]
    ids = [crowd.submit(quote, amount) for amount, quote in enumerate(quotes, 1)]
    before = await office.h.admin.fetchval("SELECT count(*) FROM timer")
    await office.h.redeliver(*crowd.records)
    told = await rows(office)
    for amount, id in enumerate(ids, 1):
        steps = 2 if amount > 20 else 1 if amount > 10 else 0
        ended = ["approval.assigned"] * steps or ["approval.approved"]
        assert because(told, id) == ["approval.requested", *ended], amount
    assert len({each["correlation_id"] for each in told}) == len(ids)
    for approval in {each["aggregate_id"] for each in told}:
        mine = [each["sequence"] for each in told if each["aggregate_id"] == approval]
        assert mine == list(range(1, len(mine) + 1))
    due = await office.h.admin.fetch(
        "SELECT t.id FROM task t JOIN timer ON timer.key = t.id AND timer.due_at = t.due_at AND timer.name = 'workflow.due'"
        " JOIN outbox o ON o.aggregate_id = t.approval_id AND o.sequence = 1 AND o.causation_id = timer.causation_id"
    )
    assert len(due) == 10 + 2 * 10, "each step has its deadline, for the reason that the step has"
    assert await office.h.admin.fetchval("SELECT count(*) FROM timer") == before + 30
    # What was heard is not heard again, in a crowd either.
    await office.h.redeliver(*crowd.records)
    assert await rows(office) == told


async def test_a_document_that_is_submitted_again_in_the_crowd_counts_as_it_was_last(office: Office) -> None:
    await office.rule(row("role:manager"))
    crowd, (one, two, three) = Crowd(office), [uuid7() for _ in range(3)]
    early = crowd.submit(one, 1)
    await office.h.redeliver(*crowd.records)
    crowd.records.clear()
    again, other = crowd.submit(one, 2), crowd.submit(two, 3)
    thrice, recalled, last = crowd.submit(one, 4), crowd.recall(two), crowd.submit(three, 5)
    await office.h.redeliver(*crowd.records)
    told = await rows(office)
    begun = ["approval.requested", "approval.assigned"]
    assert because(told, early) == because(told, other) == because(told, last) == begun
    assert because(told, again) == because(told, thrice) == ["approval.voided", *begun]
    assert because(told, recalled) == ["approval.voided"]
    listed = (await office.h.client.get(AT, params={"limit": 50, "sort": "id"})).json()["items"]
    assert [(each["amount"], each["status"]) for each in listed] == [
        (1, "voided"),
        (2, "voided"),
        (3, "voided"),
        (4, "pending"),
        (5, "pending"),
    ]
    waiting = await office.h.admin.fetchval("SELECT count(*) FROM timer WHERE name = 'workflow.due'")
    assert waiting == 2, "what is void is due no more"


async def test_one_that_cannot_begin_leaves_the_others_of_its_crowd_alone(office: Office) -> None:
    """The rows of one are refused by the database, so that all of them are rolled back, and tried one by one."""
    await office.rule(row("role:manager"))
    crowd, quotes = Crowd(office), [uuid7() for _ in range(5)]
    for amount, quote in enumerate(quotes, 1):
        crowd.submit(quote, amount)
    await office.h.admin.execute("ALTER TABLE approval ADD CONSTRAINT no_three CHECK (amount <> 3)")
    await office.h.redeliver(*crowd.records, may_dead_letter=True)
    listed: list[dict[str, Any]] = (await office.h.client.get(AT, params={"limit": 50, "sort": "id"})).json()["items"]
    assert [each["amount"] for each in listed] == [1, 2, 4, 5]
    letters = await office.h.admin.fetch("SELECT subscriber, kind, aggregate_id FROM dead_letter")
    assert [tuple(each) for each in letters] == [("workflow.submissions", "failed", quotes[2])]
    assert len(await office.h.published("approval.assigned")) == 4
