"""What an approval takes, without a database: requirements as a process or a matrix states them, and what votes make of one.

Approvers are written as `role:manager`, `user:<id>`, `superior`, or several of these with commas between; after `|` stands what counts when nobody is
meant by what stands before. A mode is `any`, `all` or `quorum:2`. Durations are ISO 8601 (`P3D`, `PT12H`).
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from contracts.approvals import Decision
from tailrace.core.values.days import Calendar

DEFAULT_DUE = "P7D"
FALLBACK = "role:admin"
"""Who decides where nobody else is meant: every company has somebody of this role."""
MOST_STEPS = 50
"""Requirements that one document may meet in one process."""
_DURATION = re.compile(
    r"P(?:(\d{1,4})W)?(?:(\d{1,4})D)?(?:T(?=\d)(?:(\d{1,5})H)?(?:(\d{1,6})M)?(?:(\d{1,8})S)?)?", re.ASCII
)
_MODE = re.compile(r"any|all|quorum:([1-9][0-9]?)", re.ASCII)
_APPROVER = re.compile(r"role:[^,|:\s][^,|]{0,63}|superior|user:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Requirement:
    """Some people who have to agree: who, how many of them, until when, and who else when they do not."""

    approvers: str
    mode: str = "any"
    due: str = DEFAULT_DUE
    escalate: str | None = None
    reason: bool = False
    """Whether who approves has to say why. Who rejects has to in any case."""
    repeat: bool = False
    """Whether one who has decided an earlier step of the same document may decide this one too."""
    name: str | None = None

    def __post_init__(self) -> None:
        """Raises ValueError, which says what is wrong."""
        approver_groups(self.approvers)
        if self.escalate is not None:
            approver_groups(self.escalate)
        if _MODE.fullmatch(self.mode) is None:
            raise ValueError(f"{self.mode!r} is no mode: write any, all or quorum:2")
        duration(self.due)


@lru_cache(maxsize=1024)
def approver_groups(text: str) -> Sequence[Sequence[str]]:
    """The approvers, and those in their place, each as a list. Raises ValueError."""
    groups = tuple(tuple(one.strip() for one in group.split(",")) for group in text.split("|"))
    for one in (one for group in groups for one in group):
        if _APPROVER.fullmatch(one) is None:
            raise ValueError(f"{one!r} is nobody: write role:manager, user:<id> or superior")
    return groups


def named_users(text: str) -> list[UUID]:
    """The users that approvers name by id."""
    return [UUID(one[5:]) for group in approver_groups(text) for one in group if one.startswith("user:")]


@dataclass(frozen=True, slots=True)
class Duration:
    """Whole days, which go by the company's calendar, and a time, which is exact."""

    days: int
    time: timedelta

    def after(self, moment: datetime, calendar: Calendar) -> datetime:
        """So much later: at the same time of a later day, and then the time."""
        return calendar.days_later(moment, self.days) + self.time


@lru_cache(maxsize=1024)
def duration(text: str) -> Duration:
    """Of an ISO 8601 duration in weeks, days, hours, minutes and seconds. Raises ValueError."""
    found = _DURATION.fullmatch(text)
    if found is None or text == "P":
        raise ValueError(f"{text!r} is no duration: write P3D or PT12H (ISO 8601)")
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return Duration(7 * weeks + days, timedelta(hours=hours, minutes=minutes, seconds=seconds))


def requirement(said: Mapping[str, Any]) -> Requirement:
    """One row of a matrix, or the attributes of a task in a process. Raises ValueError for what it does not hold or holds wrongly."""
    approvers = said.get("approvers")
    if not isinstance(approvers, str) or not approvers:
        raise ValueError("nobody is named as `approvers`")
    given = {name: str(said[name]) for name in ("mode", "due", "escalate", "name") if said.get(name) not in (None, "")}
    flags = {name: said.get(name) in (True, "true") for name in ("reason", "repeat")}
    return Requirement(approvers, **given, **flags)  # type: ignore[arg-type]


def steps(rows: Iterable[Mapping[str, Any]]) -> list[list[dict[str, Any]]]:
    """The rows of a matrix by step, in order: those of one step are decided side by side. Raises ValueError for too many, or a wrong one."""
    by_step: dict[int, list[dict[str, Any]]] = {}
    for row in rows:
        requirement(row)
        by_step.setdefault(int(row.get("step") or 1), []).append(dict(row))
    if sum(map(len, by_step.values())) > MOST_STEPS:
        raise ValueError(f"more than {MOST_STEPS} rows apply")
    return [by_step[number] for number in sorted(by_step)]


@dataclass(frozen=True, slots=True)
class Said:
    """A vote: for whom it was cast, and what it says."""

    person: UUID
    decision: Decision


def outcome(mode: str, votes: Sequence[Said], people: Collection[UUID]) -> Decision | None:
    """What votes make of one requirement; None while it is open. `people` are those who may vote, as far as they are known by name."""
    against = [vote for vote in votes if vote.decision == "rejected"]
    agreed = {vote.person for vote in votes if vote.decision == "approved"}
    if mode == "any":
        return votes[0].decision if votes else None
    if mode == "all":
        if against:
            return "rejected"
        return "approved" if agreed and agreed >= set(people) else None
    # Who has voted and may no more, being gone, was one of them all the same: else those who are left would need fewer.
    everybody = {*people, *(vote.person for vote in votes)}
    needed = min(int(mode.removeprefix("quorum:")), max(len(everybody), 1))
    if len(agreed) >= needed:
        return "approved"
    return "rejected" if against and len(everybody - {vote.person for vote in against}) < needed else None
