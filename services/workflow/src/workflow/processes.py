"""Processes of a company: BPMN files with their decisions, in versions that never change. What began with a version goes on with it."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import UniqueConstraint
from sqlalchemy.orm import Mapped, relationship

from contracts.approvals import ProcessActivated, ProcessDeployed
from tailrace.core.ids import uuid7
from tailrace.db.keys import refers_to
from tailrace.db.models import Aggregate, Part
from tailrace.db.unique import unique_value
from workflow.base import Base
from workflow.refusals import KeyTaken

ANY_KIND = "*"
MATRIX = "matrix"
"""The name of the decision that says who has to approve."""


class Process(Aggregate, Base):
    __tablename__ = "process"
    __table_args__ = (unique_value("key", refusal=KeyTaken),)

    key: Mapped[str]
    name: Mapped[str]
    kinds: Mapped[list[Any]]
    """The kinds of documents that begin with it; `*` is any that has no process of its own."""
    active: Mapped[int]
    """The version that documents begin with; 0 for none as yet."""
    latest: Mapped[int]

    @classmethod
    def named(cls, id: UUID, key: str, name: str) -> "Process":
        return cls(id=id, key=key, name=name, kinds=[], active=0, latest=0)

    def deploy(self, files: "Files", spec: dict[str, Any], elements: Sequence[dict[str, Any]]) -> "ProcessVersion":
        """Add a version."""
        self.latest += 1
        version = ProcessVersion(
            id=uuid7(),
            process=self,
            number=self.latest,
            source=files.source,
            decisions={name: text.decode() for name, text in files.decisions.items()},
            spec=spec,
            elements=list(elements),
        )
        self.record(ProcessDeployed(process_id=self.id, key=self.key, version_number=self.latest))
        return version

    def activate(self, number: int, kinds: Sequence[str], roles: Sequence[str]) -> None:
        """`roles` are those that the version names."""
        self.active, self.kinds = number, sorted(set(kinds))
        self._tell(roles)

    def give_up(self, kinds: Sequence[str], roles: Sequence[str]) -> None:
        """Another process serves these from now on. `roles` are those that the active version names: a template may still name the process."""
        self.kinds = [kind for kind in self.kinds if kind not in kinds]
        self._tell(roles)

    def _tell(self, roles: Sequence[str]) -> None:
        said = {"version_number": self.active, "kinds": self.kinds, "roles": roles}
        self.record(ProcessActivated(process_id=self.id, key=self.key, **said))


class ProcessVersion(Part, Base):
    __tablename__ = "process_version"
    __root__ = "process"
    __table_args__ = (refers_to("process", "process_id"), UniqueConstraint("tenant_id", "process_id", "number"))

    process_id: Mapped[UUID]
    number: Mapped[int]
    source: Mapped[bytes]
    """The BPMN file, as it was deployed."""
    decisions: Mapped[dict[str, Any]]
    """The DMN files by the name of their decision."""
    spec: Mapped[dict[str, Any]]
    """What the engine made of both."""
    elements: Mapped[list[dict[str, Any]]]
    """What the file holds, and which of it runs."""
    process: Mapped[Process] = relationship()


class Files:
    """A BPMN file, and the DMN files of its decisions by name."""

    def __init__(self, source: bytes, decisions: dict[str, bytes]) -> None:
        self.source, self.decisions = source, decisions

    @classmethod
    def of(cls, version: ProcessVersion) -> "Files":
        return cls(version.source, {name: text.encode() for name, text in version.decisions.items()})

    def with_matrix(self, dmn: bytes) -> "Files":
        return Files(self.source, {**self.decisions, MATRIX: dmn})
