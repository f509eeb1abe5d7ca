"""Approvals: each round of each, when it was asked for, how it was answered and how long that took.

They belong to the one who asked. Amounts are of the document that is to be approved.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel

from analytics.measures import Measure
from analytics.standings.standing import Entry, Source, Standing, whole_seconds
from contracts import approvals as events

Answer = Literal["approved", "rejected", "recalled", "voided"]
_MEASURES: dict[Answer, Measure] = {
    "approved": "approval_approved",
    "rejected": "approval_rejected",
    "recalled": "approval_recalled",
    "voided": "approval_voided",
}


class Answered(BaseModel):
    """How a round was answered, and then perhaps voided."""

    how: Answer
    at: datetime


class Round(BaseModel):
    """One time that it was asked for."""

    asked_at: datetime
    answers: list[Answered] = []


class Approval(Standing):
    """Where an approval stands."""

    amount: int = 0
    rounds: list[Round] = []

    def entries(self) -> Iterator[Entry]:
        for place, each in enumerate(self.rounds):
            yield Entry("approval_requested", each.asked_at, self.amount, key=str(place))
            for number, answer in enumerate(each.answers):
                took = whole_seconds(each.asked_at, answer.at)
                yield Entry(_MEASURES[answer.how], answer.at, self.amount, 1, took, f"{place}.{number}")
        if self.rounds and not self.rounds[-1].answers:
            yield Entry("approval_open", self.rounds[-1].asked_at, self.amount)


def fold(standing: Approval | None, event: Any, at: datetime) -> Approval | None:
    """Where the approval stands after the event."""
    subject = event.subject
    said: dict[str, Any] = {
        "number": subject.number,
        "owner_id": subject.requester_id,
        "currency": subject.currency,
        "label": subject.kind,
        "amount": subject.amount,
    }
    rounds = [] if standing is None else standing.rounds
    match event:
        case events.ApprovalRequested():
            said["rounds"] = [*rounds, Round(asked_at=at)]
        case events.ApprovalApproved():
            said["rounds"] = _answered(rounds, "approved", at)
        case events.ApprovalRejected():
            said["rounds"] = _answered(rounds, "rejected", at)
        case events.ApprovalRecalled():
            said["rounds"] = _answered(rounds, "recalled", at)
        case events.ApprovalVoided():
            said["rounds"] = _answered(rounds, "voided", at)
    return Approval(**said) if standing is None else standing.model_copy(update=said)


def _answered(rounds: list[Round], how: Answer, at: datetime) -> list[Round]:
    if not rounds:
        return rounds
    last = rounds[-1]
    return [*rounds[:-1], last.model_copy(update={"answers": [*last.answers, Answered(how=how, at=at)]})]


APPROVALS = Source(
    "approval",
    "approval_id",
    Approval,
    fold,
    (events.ApprovalRequested, events.ApprovalUpdated, *events.ANSWERS),
)
