"""Scores of leads: the points of each rule that holds, and which those are. When the rules change, a job scores every lead again."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import select

from opportunities import policies
from opportunities.bodies.policies import Condition, ScoringBody
from opportunities.leads import Lead, about
from tailrace.core.values.text import folded
from tailrace.db.database import Tx
from tailrace.jobs.kinds import JobKind, Run

AT_ONCE = 200
"""How many leads are scored in one transaction."""

rescore = JobKind("opportunities.rescore")


def score_of(rules: ScoringBody, said: Mapping[str, Any]) -> tuple[int, list[dict[str, Any]]]:
    """The points of a lead, of which `said` is what it says, and the reasons for them, in the order of the rules."""
    holding = [rule for rule in rules.rules if all_hold(rule.when, said)]
    return sum(rule.points for rule in holding), [{"rule": rule.name, "points": rule.points} for rule in holding]


def all_hold(conditions: Sequence[Condition], said: Mapping[str, Any]) -> bool:
    """Whether every one of these holds of a lead."""
    return all(_holds(each, said[each.field]) for each in conditions)


def _holds(condition: Condition, value: Any) -> bool:
    if condition.test in {"present", "absent"}:
        return bool(value) == (condition.test == "present")
    if value is None:
        return condition.test == "is_not"
    if condition.test in {"at_least", "at_most"}:
        bound = int(condition.values[0])
        return bool(value >= bound if condition.test == "at_least" else value <= bound)
    text, values = folded(str(value)), [folded(each) for each in condition.values]
    if condition.test == "contains":
        return any(each in text for each in values)
    return (text in values) == (condition.test == "is")


async def rate(tx: Tx, lead: Lead, rules: ScoringBody | None = None) -> None:
    """Score a lead as the rules say now."""
    lead.rate(*score_of(rules or await policies.scoring(tx), about(lead)))


@rescore.chunk
async def some(tx: Tx, run: Run) -> None:
    """The next leads by id. Those that become customers or are lost meanwhile keep the score that they had."""
    after = run.checkpoint.get("after")
    open_ones = select(Lead.id).where(Lead.status.in_(("new", "qualified")), Lead.deleted_at.is_(None))
    if after is not None:
        open_ones = open_ones.where(Lead.id > UUID(after))
    ids = list(await tx.scalars(open_ones.order_by(Lead.id).limit(AT_ONCE)))
    rules = await policies.scoring(tx)
    changed = 0
    for id in ids:
        lead = await tx.load(Lead, id)
        before = lead.version
        await rate(tx, lead, rules)
        changed += lead.version != before
    run.advance({"after": str(ids[-1])} if ids else run.checkpoint, done=len(ids), changed=changed)
    if len(ids) < AT_ONCE:
        run.finish()
