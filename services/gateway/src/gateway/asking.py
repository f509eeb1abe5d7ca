"""Asks services in a caller's name for what the gateway itself puts together: under their own token, within the same limits of time."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.types import Message, Scope

from gateway.fast.part import Part
from gateway.fast.pool import Connection, Pools
from gateway.forward import TRIES, Forwarder, limit_of
from gateway.head import Head, Headers
from gateway.headers import answer_headers, said_to_service
from gateway.pace import Pace
from gateway.table import Table
from gateway.upload import Upload
from tailrace.core.errors import Problem, Unknown
from tailrace.core.manifest import Route

_HANDED_ON = frozenset({b"authorization", b"tailrace-after", b"accept-language", b"user-agent"})
_OK = range(200, 300)


@dataclass(slots=True)
class Answer:
    """Of one service, whole. `send` takes it as an ASGI server would; `problem` is the gateway's own refusal."""

    status: int = 0
    body: bytes = b""
    problem: Problem | None = None
    headers: Headers = field(default_factory=list)

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
        else:
            self.body += message["body"]

    @property
    def good(self) -> bool:
        return self.status in _OK

    @property
    def refusal(self) -> dict[str, Any]:
        """Why it is not good, as RFC 9457 has it: what the service said, or the gateway."""
        if self.problem is not None:
            return said_of(self.problem)
        try:
            said = json.loads(self.body)
            return {**said, "type": str(said["type"]), "title": str(said["title"]), "status": self.status}
        except (ValueError, TypeError, KeyError):
            return {"type": "about:blank", "title": "No answer that can be read", "status": self.status}


def said_of(problem: Problem) -> dict[str, Any]:
    """The members of a problem document of the gateway's own."""
    said: dict[str, Any] = {
        "type": f"urn:tailrace:problem:{problem.slug}",
        "title": problem.title,
        "status": problem.status,
    }
    if problem.detail:
        said["detail"] = problem.detail
    if problem.errors:
        said["errors"] = [each.model_dump() for each in problem.errors]
    return said


class Asking:
    """Takes requests to the services that the route table names: a read on a connection of the fast path, where one is idle."""

    def __init__(self, table: Table, forwarder: Forwarder, pace: Callable[[], Pace], pools: Pools | None) -> None:
        self._table = table
        self._pools = pools
        self._forwarder = forwarder
        self._pace = pace

    async def ask(
        self,
        head: Head,
        scope: Scope,
        path: str,
        query: str = "",
        *,
        method: str = "GET",
        body: bytes = b"",
        more: Iterable[tuple[bytes, bytes]] = (),
    ) -> Answer:
        """One request in the name of the one that came in with `head`. `path` and `query` are encoded; `more` are headers beside those handed on."""
        segments = tuple(path.split("/")[1:])
        route = self._table.match(segments)
        if route is None:
            return Answer(Unknown.status, problem=Unknown("path", path))
        kept = [(name, value) for name, value in head.headers if name in _HANDED_ON]
        one = replace(
            head,
            method=method,
            path=path,
            query=query,
            segments=segments,
            headers=[*kept, *more],
            length=None,
            has_body=bool(body),
        )
        tries = TRIES
        if method == "GET" and (connection := self._idle(route)) is not None:
            plain = await self._plain(route, one, scope, connection)
            if plain is not None:
                return plain
            tries -= 1
        answer, upload = Answer(), Upload(_whole(body), len(body), self._pace())
        await upload.read_ahead(has_body=bool(body))
        try:
            await self._forwarder.forward(route, one, scope, upload, answer.send, {}, self._pace(), tries=tries)
        except Problem as problem:
            return Answer(problem.status, problem=problem)
        return answer

    def _idle(self, route: Route) -> Connection | None:
        pool = None if self._pools is None else self._pools.of(route.service)
        return None if pool is None else pool.take()

    async def _plain(self, route: Route, head: Head, scope: Scope, connection: Connection) -> Answer | None:
        """None where the connection broke before an answer had begun."""
        limit = limit_of(route, head)
        try:
            found = await Part(route.service, limit).ask(connection, head, said_to_service(scope, limit))
        except Problem as problem:
            return Answer(problem.status, problem=problem)
        if found is None:
            return None
        status, headers, body = found
        return Answer(status, body, headers=answer_headers(headers, {}))


def _whole(body: bytes) -> Callable[[], Any]:
    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive
