"""What one GraphQL request asks of the services, in its caller's name: each read once, and a hundred rows by their ids in one request."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from graphql import GraphQLError
from starlette.types import Scope

from gateway.admission import Charged
from gateway.asking import Answer, Asking, said_of
from gateway.graph.numbers import as_json
from gateway.head import Head
from tailrace.core.context import Principal
from tailrace.core.errors import BadRequest, Invalid, Problem, Unknown

BATCH = 100
"""Ids in one request: some four kilobytes of its address."""
_EVENT = b"tailrace-event"
_KEY_LENGTH = 255

Row = dict[str, Any]


class Refusal(GraphQLError):
    """What a service or the gateway refused; `extensions.problem` is the RFC 9457 document."""

    def __init__(self, problem: dict[str, Any]) -> None:
        super().__init__(str(problem.get("detail") or problem["title"]), extensions={"problem": problem})


def id_of(kind: str, value: str) -> str:
    """An id in the form that services know. Raises Refusal for what can be none: it is not found, as with REST."""
    try:
        return str(UUID(value))
    except ValueError as error:
        raise Refusal(said_of(Unknown(kind, value[:50]))) from error


class Caller:
    """The context of one execution. `asked` counts the requests that it made, and `events` are what its writes recorded."""

    def __init__(self, asking: Asking, head: Head, scope: Scope, charged: Charged) -> None:
        self._asking = asking
        self._head = head
        self._scope = scope
        self._charged = charged
        self._read: dict[tuple[str, str], asyncio.Task[Any]] = {}
        self._wanted: dict[str, dict[str, asyncio.Future[Row | None]]] = {}
        self._found: dict[tuple[str, str], asyncio.Future[Row | None]] = {}
        self._at_work: set[asyncio.Task[None]] = set()
        self.asked = 0
        self.events: list[str] = []

    @property
    def tenant_id(self) -> UUID:
        return self._principal.tenant_id

    @property
    def user_id(self) -> UUID:
        return self._principal.user_id

    @property
    def _principal(self) -> Principal:
        if self._charged.principal is None:
            raise AssertionError("nobody in particular is let in to GraphQL")
        return self._charged.principal

    def read(self, path: str, query: str = "") -> asyncio.Task[Any]:
        """What `GET` answers, decoded; the same read is made once. Raises Refusal."""
        known = self._read.get((path, query))
        if known is None:
            known = self._read[path, query] = asyncio.create_task(self._get(path, query))
        return known

    async def reread(self, path: str, query: str = "") -> Any:
        """What `GET` answers now. Raises Refusal."""
        return await self._get(path, query)

    def find(self, path: str, id: str) -> asyncio.Future[Row | None]:
        """The row of a list that has this id, None where the caller sees none. Raises Refusal."""
        known = self._found.get((path, id))
        if known is None:
            loop = asyncio.get_running_loop()
            known = self._found[path, id] = loop.create_future()
            wanted = self._wanted.setdefault(path, {})
            if not wanted:
                loop.call_soon(self._collect, path)
            wanted[id] = known
        return known

    async def write(self, method: str, path: str, body: Any, key: str, version: int | None) -> Any:
        """What a write answers. `key` is its `Idempotency-Key`, `version` what `If-Match` asks for. Raises Refusal."""
        if not 1 <= len(key) <= _KEY_LENGTH or not key.isascii() or not key.isprintable():
            said = f"idempotencyKey is 1 to {_KEY_LENGTH} printable ASCII characters."
            raise Refusal(said_of(Invalid(said, field="idempotencyKey")))
        more = [(b"content-type", b"application/json"), (b"idempotency-key", key.encode())]
        if version is not None:
            more.append((b"if-match", b'"%d"' % version))
        try:
            content = b"" if body is None else as_json(body).encode()
        except RecursionError as error:
            raise Refusal(said_of(BadRequest("It is nested too deeply.", field="input"))) from error
        with self._under_way():
            answer = await self._asking.ask(
                self._head, self._scope, path, method=method.upper(), body=content, more=more
            )
        said = _said(answer)
        self.events += [value.decode() for name, value in answer.headers if name == _EVENT]
        return said

    @contextmanager
    def _under_way(self) -> Iterator[None]:
        self.asked += 1
        try:
            with self._charged.in_flight.hold(self._charged.key):
                yield
        except Problem as problem:
            raise Refusal(said_of(problem)) from problem

    async def _get(self, path: str, query: str) -> Any:
        with self._under_way():
            return _said(await self._asking.ask(self._head, self._scope, path, query))

    def _collect(self, path: str) -> None:
        """Ask for all that was wanted of a list since its first was."""
        wanted = list(self._wanted.pop(path).items())
        for start in range(0, len(wanted), BATCH):
            work = asyncio.create_task(self._batch(path, wanted[start : start + BATCH]))
            self._at_work.add(work)
            work.add_done_callback(self._at_work.discard)

    async def _batch(self, path: str, wanted: Sequence[tuple[str, asyncio.Future[Row | None]]]) -> None:
        query = urlencode([*(("id", id) for id, _ in wanted), ("limit", len(wanted))])
        try:
            rows = {row["id"]: row for row in (await self._get(path, query))["items"]}
        # Whatever it is: a row that nobody tells of would be waited for without end.
        except Exception as error:
            for _, future in wanted:
                if not future.done():
                    future.set_exception(error)
            return
        for id, future in wanted:
            if not future.done():
                future.set_result(rows.get(id))


def _said(answer: Answer) -> Any:
    if not answer.good:
        raise Refusal(answer.refusal)
    return json.loads(answer.body) if answer.body else None
