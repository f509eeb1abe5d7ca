"""Companies trade while processes die, offsets go back and poison arrives; in the end every figure is what the log of requests says.

`make faults` runs this, more of its kind and one at full size. Where a check could be blind, the evidence is tampered with, and it has to see that.
"""

import ast
import copy
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import replace
from decimal import Decimal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from mix import months, nemeses, plans
from mix.checks import judge
from mix.client import RequestLog
from mix.evidence import Evidence
from mix.run import SHORT, WITHOUT_GROUP, Outcome, run
from mix.topics import Record

from tailrace.stack.embedded import Stack
from tailrace.stack.plan import service_names

PLAN = SHORT[0]
_INDEPENDENT = (
    "plans",
    "logins",
    "nemeses",
    "client",
    "setup",
    "trade",
    "stock",
    "model",
    "topics",
    "poison",
    "groups",
    "checks",
)
pytestmark = pytest.mark.embedded("pauses or kills PostgreSQL, Kafka or Connect")


@pytest.fixture(scope="module")
async def outcome(fleet: Stack, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Of one run: the tests below look at its evidence too."""
    log = RequestLog(tmp_path_factory.mktemp("mix") / "requests.jsonl")
    outcome = await run(fleet, PLAN, log, print)
    outcome.evidence.log = list(outcome.evidence.log)
    return outcome


def test_the_end_is_what_the_requests_say(outcome: Outcome) -> None:
    wrong = [check for check in judge(outcome.evidence) if not check.holds]
    assert wrong == []
    assert outcome.events >= PLAN.events
    assert len(outcome.recoveries) == PLAN.faults


def test_the_seed_decides_what_happens() -> None:
    def planned(seed: int) -> tuple[object, ...]:
        firms = plans.firms(seed, 2)
        return firms, plans.jobs(seed, firms, PLAN.events), nemeses.schedule(seed, 40, service_names(), service_names())

    assert planned(1) == planned(1)
    assert planned(1) != planned(2)


def test_the_month_has_everything_struck_again_and_again_as_its_seed_says() -> None:
    def first(seed: int) -> list[nemeses.Fault]:
        return list(islice(months.planned(seed), 30))

    assert first(5) == first(5) != first(6)
    assert {fault.kind for fault in first(5)} == set(months.KINDS)
    assert {fault.victim for fault in first(5) if fault.kind == "strike"} == set(nemeses.INFRASTRUCTURE)
    assert "stubs" not in {fault.victim for fault in islice(months.planned(5), 300)}


def test_every_sort_of_fault_is_in_each_short_run() -> None:
    consumers = [name for name in service_names() if name not in WITHOUT_GROUP]
    runs = [nemeses.schedule(plan.seed, plan.faults, service_names(), consumers) for plan in SHORT]
    assert [{fault.kind for fault in faults} for faults in runs] == [set(nemeses.CYCLE)] * len(SHORT)
    struck = {fault.victim for faults in runs for fault in faults if fault.kind == "strike"}
    assert struck >= {"connect", "kafka", "postgres"}


def test_what_judges_shares_no_code_with_what_is_judged() -> None:
    folder = Path(nemeses.__file__).parent
    for name in _INDEPENDENT:
        for module in _imports(folder / f"{name}.py"):
            assert module not in {"tailrace", "tailrace_testing", "contracts", *service_names()}, (
                f"{name} imports {module}"
            )


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        yield from (name.partition(".")[0] for name in names)


# Tampering. Each takes one thing away, adds one or changes one, and names the check that has to see it.


def _forget_a_dispatch(evidence: Evidence) -> None:
    _forget(evidence, lambda entry: entry["path"].endswith("/dispatch"))


def _forget_a_cancellation(evidence: Evidence) -> None:
    """One that came in time."""
    found = (order for found in evidence.found.values() for order in found.orders)
    ends = {f"/v1/orders/{order['id']}/cancel" for order in found if order["status"] == "cancelled"}
    _forget(evidence, lambda entry: entry["path"] in ends)


def _forget_a_receipt(evidence: Evidence) -> None:
    _forget(evidence, lambda entry: entry["path"].endswith("/receipts"))


def _forget_an_answer(evidence: Evidence) -> None:
    _forget(evidence, lambda entry: entry["path"].endswith("/receipts"), {"answered"})


def _forget(
    evidence: Evidence, which: Callable[[Any], bool], lines: Collection[str] = ("asked", "unknown", "answered")
) -> None:
    """Take these lines about one accepted request out of the log."""
    gone = next(e for e in evidence.log if e["what"] == "answered" and e["status"] < 300 and which(e))
    request = (gone["tenant"], gone["key"])
    evidence.log = [e for e in evidence.log if (e["tenant"], e["key"]) != request or e["what"] not in lines]


def _lose_a_record(evidence: Evidence) -> None:
    gone = next(_once(evidence))
    evidence.records.remove(gone)


def _swap_two_records(evidence: Evidence) -> None:
    """The second event of an aggregate lies before its first."""
    second = next(r for r in _once(evidence) if r.sequence == 2)
    first = next(r for r in evidence.records if r.aggregate == second.aggregate and r.sequence == 1)
    evidence.records.remove(second)
    topic, partition, offset = first.where
    evidence.records.append(replace(second, where=(topic, partition, offset - 0.5)))  # type: ignore[arg-type]


def _two_events_in_one_place(evidence: Evidence) -> None:
    record = next(_once(evidence))
    evidence.records.append(replace(record, id="another"))


def _change_a_payload(evidence: Evidence) -> None:
    record = next(_once(evidence))
    evidence.records[evidence.records.index(record)] = replace(record, digest="another")


def _move_a_mark_back(evidence: Evidence) -> None:
    pair = next(pair for pair, mark in evidence.marks.items() if mark > 1 and pair[1] in _subjects(evidence))
    evidence.marks[pair] -= 1


def _lose_a_mark(evidence: Evidence) -> None:
    del evidence.marks[next(pair for pair in evidence.marks if pair[1] in _subjects(evidence))]


def _ship_twice(evidence: Evidence) -> None:
    stock = next(iter(evidence.found.values())).stock[0]
    stock["on_hand"] = str(Decimal(stock["on_hand"]) - 1)


def _keep_a_reservation(evidence: Evidence) -> None:
    stock = next(iter(evidence.found.values())).stock[0]
    stock["reserved"] = str(Decimal(stock["reserved"]) + 1)


def _book_twice(evidence: Evidence) -> None:
    found = next(iter(evidence.found.values()))
    found.journals.append(found.journals[0])


def _misprice(evidence: Evidence) -> None:
    """Two errors that cancel out in every sum."""
    one, other = next(iter(evidence.found.values())).orders[:2]
    one["net"], other["net"] = one["net"] + 1, other["net"] - 1


def _leave_poison(evidence: Evidence) -> None:
    evidence.left.append(evidence.dead_letters[0])


def _dead_letter_no_poison(evidence: Evidence) -> None:
    evidence.dead_letters.clear()


def _suppress_nothing(evidence: Evidence) -> None:
    once = {record.id: record for record in evidence.records}
    evidence.records[:] = once.values()
    evidence.read_again = 0


_TAMPERING: dict[Callable[[Evidence], None], str] = {
    _forget_a_dispatch: "units shipped",
    _forget_a_cancellation: "orders by state",
    _forget_a_receipt: "units on hand",
    _forget_an_answer: "requests without an answer",
    _lose_a_record: "events on the topics = outboxes",
    _swap_two_records: "aggregates out of order",
    _two_events_in_one_place: "places with two events",
    _change_a_payload: "events on the topics = outboxes",
    _move_a_mark_back: "marks at the last event",
    _lose_a_mark: "marks at the last event",
    _ship_twice: "units on hand",
    _keep_a_reservation: "units reserved",
    _book_twice: "journals",
    _misprice: "net ordered",
    _leave_poison: "dead letters after the poison was dropped",
    _dead_letter_no_poison: "poison that was not dead-lettered",
    _suppress_nothing: "events came twice, and were passed over",
}


def test_tampering_is_seen(outcome: Outcome) -> None:
    unseen = {}
    for tamper, name in _TAMPERING.items():
        tampered = copy.deepcopy(outcome.evidence)
        tamper(tampered)
        wrong = {check.name for check in judge(tampered) if not check.holds}
        if name not in wrong:
            unseen[tamper.__name__] = wrong
    assert unseen == {}


def _once(evidence: Evidence) -> Iterator[Record]:
    """Real records that came once."""
    times = Counter(record.id for record in evidence.records)
    return (r for r in evidence.records if times[r.id] == 1 and r.where not in evidence.forged)


def _subjects(evidence: Evidence) -> set[str]:
    return {record.subject for record in evidence.records if record.where not in evidence.forged}
