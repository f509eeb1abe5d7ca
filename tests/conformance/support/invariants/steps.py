"""What a walk leaves behind: each step, its answer and the answers to its variations, and the lists that it began."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import httpx2

from invariants.operations import Operation

Login = tuple[str, str] | httpx2.Auth


@dataclass(frozen=True)
class Answer:
    """What came back, and which tables looked different afterwards."""

    status: int
    headers: Mapping[str, str]
    text: str
    changed: tuple[str, ...] = ()

    def __str__(self) -> str:
        return f"{self.status} {self.text[:200]}"

    @property
    def is_problem(self) -> bool:
        return self.headers.get("content-type", "").startswith("application/problem+json")

    @property
    def is_json(self) -> bool:
        """JSON as one value (RFC 6839): lines of it, `application/x-ndjson`, are none."""
        return self.headers.get("content-type", "").partition(";")[0].strip().endswith(("/json", "+json"))

    def json(self) -> Any:
        return json.loads(self.text) if self.is_json else None


@dataclass(frozen=True)
class File:
    """What is sent as the one part of a form, `multipart/form-data`."""

    name: str
    content: bytes
    media_type: str

    def part(self, content: bytes | None = None) -> tuple[str, bytes, str]:
        return (self.name, self.content if content is None else content, self.media_type)


@dataclass
class Step:
    """One request of the walk: the answer to it (`done`), and to each variation of it, by what was varied."""

    operation: Operation
    body: Any
    traceparent: str
    tenant: UUID
    user: UUID
    form: Mapping[str, str] | None = None
    file: File | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    """What stands in its path."""
    rows: tuple[bytes, str] | None = None
    """A file of rows and its media type, in the place of a body."""
    login: Login | None = None
    """User and password, or what signs, where no token is taken."""
    answers: dict[str, Answer] = field(default_factory=dict)
    recorded: list[Mapping[str, Any]] = field(default_factory=list)
    """The outbox rows that `done` left."""

    @property
    def name(self) -> str:
        return self.operation.name

    @property
    def done(self) -> bool:
        return "done" in self.answers and self.answers["done"].status < 300


@dataclass
class Cursor:
    """A list that was begun early in the walk, to be read on at its end."""

    url: str
    shown: list[str]
    next: str
    client: httpx2.AsyncClient


def identities(page: Any) -> list[str]:
    """What stays the same of each row of a page, whatever happens to it: its `id`, else the ids that it has, else all of it."""
    return [json.dumps(_identity(item), sort_keys=True) for item in page["items"]]


def _identity(item: Mapping[str, Any]) -> Any:
    return item.get("id") or {name: value for name, value in item.items() if name.endswith("_id")} or item
