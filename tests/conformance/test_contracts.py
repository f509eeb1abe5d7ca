"""What is generated from the manifests is what is committed, and breaks nobody who relies on it."""

import json
from pathlib import Path

from findings import say_all

from contracts.approvals import ApprovalEvent, ApprovalSubject, Submission, Withdrawal
from contracts.submissions import SUBMISSIONS, WITHDRAWALS
from tailrace.cli import app as commands
from tailrace.codegen.compatibility import breaking
from tailrace.codegen.describe import describe, drift
from tailrace.service import Service

ROOT = Path(__file__).parents[2]


def test_nothing_generated_has_drifted(services: list[Service]) -> None:
    files = describe(services, ROOT, commands)
    say_all(
        [
            *map(str, breaking(files, ROOT, services)),
            *(f"{each}: run `tailrace describe` and commit what it writes" for each in drift(files, ROOT)),
        ]
    )


def test_consumers_of_this_release_read_what_the_next_may_send(services: list[Service]) -> None:
    """An event only gains optional fields: each committed sample, with one that is not known here, is read as it is without."""
    read = 0
    for event in {event for service in services for event in service.publishes}:
        for path in (ROOT / "contracts/samples" / event.type).glob("v*-*.json"):
            version, payload = int(path.name[1:].partition("-")[0]), json.loads(path.read_text())
            more = event.read(version, payload | {"known_to_the_next_release": [{"of": 1}]})
            assert more == event.read(version, payload), path
            read += 1
    assert read > len(services)


def test_every_submission_and_withdrawal_is_listed(services: list[Service]) -> None:
    """One that is published and not listed would wait for ever: nobody hears of it."""
    published = {event for service in services for event in service.publishes}
    assert {event for event in published if issubclass(event, Submission)} == set(SUBMISSIONS)
    assert {event for event in published if issubclass(event, Withdrawal)} == set(WITHDRAWALS)
    told = {event for event in published if "subject" in event.model_fields and not issubclass(event, ApprovalEvent)}
    assert {event for event in told if event.model_fields["subject"].annotation is ApprovalSubject} == set(SUBMISSIONS)
    for event in WITHDRAWALS:
        assert event.withdraws[1] in event.model_fields
