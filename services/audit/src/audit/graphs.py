"""A trace as it is found: what happened, what led to what, and what is missing. Plain and small, since there are thousands of them in one answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal
from uuid import UUID

import orjson


@dataclass(slots=True)
class Node:
    """Something that happened (`views.TraceNode`)."""

    id: UUID
    kind: Literal["event", "access"]
    at: datetime
    service: str
    type: str
    actor_id: str | None
    document_id: UUID
    topic: str
    sequence: int
    correlation_id: UUID
    label: str | None


@dataclass(slots=True)
class Edge:
    """That one thing came of another (`views.TraceEdge`)."""

    cause: UUID
    effect: UUID
    kind: Literal["caused", "asked", "followed", "linked"]


@dataclass(slots=True)
class Gap:
    """Something that is missing (`views.TraceGap`)."""

    kind: Literal["cause", "sequence", "waiting"]
    id: UUID
    detail: str


@dataclass(slots=True)
class Trace:
    """What led to something, and what came of it (`views.TraceView`)."""

    id: UUID
    about: Literal["request", "event", "document"]
    complete: bool
    missing: Sequence[Gap]
    truncated: bool
    nodes: Sequence[Node]
    edges: Sequence[Edge]


def as_json(trace: Trace) -> bytes:
    """As `views.TraceView` says, in a quarter of the time that its thousands of models take to be made."""
    return orjson.dumps(trace, default=str, option=orjson.OPT_UTC_Z)
