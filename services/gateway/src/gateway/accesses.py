"""Tells of each request of somebody who is logged in: who, what, when, from where, and how it ended. No query, no body, no path but its template."""

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol
from uuid import UUID

from starlette.types import Message, Scope, Send

from contracts.access import Accessed
from contracts.promised import openapi
from gateway.head import Head
from tailrace.core.context import Principal
from tailrace.core.errors import Problem
from tailrace.core.events import Event
from tailrace.core.manifest import Route
from tailrace.core.screens import Screen
from tailrace.http.protocol.middleware import BEGAN
from tailrace.runtime.openapi_screens import PREFIX, path_of

_NAMED = 2
"""Segments with which the paths of one resource begin, as in `/v1/orders`."""
GONE = 499
"""The client went away before its answer."""


class Teller(Protocol):
    """What takes note of accesses (`tailrace.kafka.diary.Diary`)."""

    def note(self, tenant_id: UUID, event: Event, *, correlation_id: UUID, actor: str) -> None: ...


class Templates:
    """Paths as the OpenAPI documents have them, found by the segments of a request's."""

    def __init__(self, paths: Iterable[str]) -> None:
        # What is written out comes before what takes anything.
        ordered = [(tuple(path.split("/")[1:]), path) for path in paths]
        ordered.sort(key=lambda each: sum("{" in segment for segment in each[0]))
        self._by_begin: dict[tuple[int, tuple[str, ...]], list[tuple[tuple[str, ...], str]]] = defaultdict(list)
        for segments, path in ordered:
            # Those of one resource are few; one that does not begin with its name is looked for among all of its length.
            begin = segments[:_NAMED]
            self._by_begin[len(segments), () if any("{" in each for each in begin) else begin].append((segments, path))

    def match(self, segments: Sequence[str]) -> str | None:
        for begin in (tuple(segments[:_NAMED]), ()):
            for template, path in self._by_begin.get((len(segments), begin), ()):
                if all("{" in want or want == is_ for want, is_ in zip(template, segments, strict=True)):
                    return path
        return None


def load_templates(folder: Path | None, screens: Iterable[Screen]) -> Templates:
    """Of every path of every service, and of the screens."""
    promised = (path for document in openapi(folder).values() for path in document.get("paths", {}))
    return Templates([*promised, PREFIX, *map(path_of, screens)])


class _Access:
    """One request, from its admission to the end of its answer."""

    def __init__(self, send: Send, began: float | None) -> None:
        self._send = send
        self._began = began or time.perf_counter()
        self.status = GONE

    async def send(self, message: Message) -> None:
        """Passes on what is answered, and sees how."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
        await self._send(message)

    @property
    def milliseconds(self) -> int:
        return round((time.perf_counter() - self._began) * 1000)


class Accesses:
    """Tells `teller` of each access, which it knows by its path's template; nobody, when there is none."""

    def __init__(self, templates: Templates, teller: Teller | None) -> None:
        self._templates = templates
        self._teller = teller

    @contextmanager
    def noted(self, principal: Principal | None, route: Route, head: Head, scope: Scope, send: Send) -> Iterator[Send]:
        """Answer by what this yields. A request of nobody in particular is not told of."""
        if self._teller is None or principal is None:
            yield send
            return
        access = _Access(send, scope["state"].get(BEGAN))
        try:
            yield access.send
        except Problem as problem:
            access.status = problem.status
            raise
        finally:
            peer, request_id = scope.get("client"), scope["state"]["correlation_id"]
            address = peer[0] if peer else None
            self.tell(principal, route, head, access.status, access.milliseconds, request_id, address)

    def tell(
        self,
        principal: Principal,
        route: Route,
        head: Head,
        status: int,
        milliseconds: int,
        request_id: UUID,
        address: str | None,
    ) -> None:
        """Of one request that is over."""
        if self._teller is None:
            return
        event = Accessed(
            request_id=request_id,
            user_id=principal.user_id,
            session_id=principal.session_id,
            service=route.service,
            method=head.method,
            path=self._templates.match(head.segments) or route.prefix,
            ids=[id for id in map(_uuid, head.segments) if id is not None],
            status=status,
            milliseconds=milliseconds,
            address=address,
        )
        self._teller.note(principal.tenant_id, event, correlation_id=request_id, actor=str(principal.user_id))


def _uuid(segment: str) -> UUID | None:
    if len(segment) != 36:
        return None
    try:
        return UUID(segment)
    except ValueError:
        return None
