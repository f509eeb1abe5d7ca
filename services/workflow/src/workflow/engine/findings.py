"""What the engine says of a file that it cannot run, and of an instance that cannot go on; each names the element."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """One thing in a file: the element's id and kind as BPMN names them (`scriptTask`), its line in the file, and why."""

    element_id: str
    element: str
    line: int
    why: str

    def __str__(self) -> str:
        where = f"{self.element} {self.element_id}" if self.element_id else self.element
        return f"{where} (line {self.line}): {self.why}"


class NotRunnable(Exception):
    """This file cannot run; `findings` says why, one for each element at fault."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(str(finding) for finding in findings[:20]))
        self.findings = findings


class Unevaluable(Exception):
    """This expression, timer or decision has no value for these data; the message says why."""


class Unexpected(Exception):
    """What was asked of an instance does not fit its state: no such task, already over, migrated with obstacles."""


@dataclass(frozen=True)
class Incident:
    """Where an instance stands still and why; `State.retry` tries that element again."""

    element_id: str
    element: str
    why: str


@dataclass(frozen=True)
class Obstacle:
    """Why a running instance cannot be moved to another version: the element that it stands at, and what is missing there."""

    element_id: str
    why: str
