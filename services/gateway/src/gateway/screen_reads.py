"""Reads a screen: asks the services of all its parts at once, under the caller's own token, and puts their answers together byte for byte.

A part that its service refuses is left out, and the answer says why; the first part of a thing's screen is that thing, so its refusal is the
screen's. A screen costs as much of the allowance as its parts asked for one by one.
"""

import asyncio
import json
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from hashlib import blake2b
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.accesses import Accesses
from gateway.admission import Admission, Charged
from gateway.asking import Answer, Asking
from gateway.head import Head, names_of, read_head
from tailrace.core.errors import Unknown
from tailrace.core.manifest import Route
from tailrace.core.screens import Part, Screen
from tailrace.http.etag import not_modified
from tailrace.http.protocol.problem_details import MEDIA_TYPE
from tailrace.http.protocol.strict import refuse_unknown
from tailrace.runtime.openapi_screens import PREFIX, path_of

_ROUTE: Final = Route(service="gateway", prefix=PREFIX)
_HEADERS: Final = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
_OF_REFUSALS: Final = frozenset({b"retry-after", b"www-authenticate"})
"""Headers that tell a client what to do about one (RFC 9110, 10.2.3 and 11.6.1)."""
_DEPTH: Final = len(PREFIX.split("/"))


class ScreenReads:
    """An ASGI application for what lies under `/v1/screens`. Raises Problems, which the app around it answers."""

    def __init__(
        self,
        screens: Iterable[Screen],
        admission: Admission,
        asking: Asking,
        accesses: Accesses,
    ) -> None:
        self._screens = {screen.name: screen for screen in screens}
        self._admission = admission
        self._asking = asking
        self._accesses = accesses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        head = read_head(scope)
        refuse_unknown(names_of(head.query), frozenset())
        charged = await self._admission.admit(_ROUTE, head, scope)
        with self._accesses.noted(charged.principal, _ROUTE, head, scope, send) as answer:
            await self._read(head, charged, scope, receive, answer)

    async def _read(self, head: Head, charged: Charged, scope: Scope, receive: Receive, send: Send) -> None:
        below = head.segments[_DEPTH - 1 :]
        if not below:
            listed = json.dumps([_entry(screen) for screen in self._screens.values()], ensure_ascii=False)
            await _answer(listed.encode(), charged.rate, scope, receive, send)
            return
        screen, id = self._found(below, scope["path"])
        rate = charged.more(len(screen.parts) - 1)
        with ExitStack() as held:
            for _ in screen.parts:
                held.enter_context(charged.in_flight.hold(charged.key))
            answers = await self._ask(screen, id, head, scope)
        # What the caller sent goes to every part alike: where one says that it is malformed, the screen was asked for wrongly.
        wrong = next((answer for answer in answers if answer.status == HTTPStatus.BAD_REQUEST), None)
        if screen.of_one and not answers[0].good:
            wrong = answers[0]
        if wrong is not None:
            await _refuse(wrong, rate, scope, receive, send)
        else:
            await _answer(_together(screen, answers), rate, scope, receive, send)

    def _found(self, below: Sequence[str], path: str) -> tuple[Screen, str]:
        """The screen, and the id of the thing it shows, in the form that services know. Raises Unknown."""
        screen = self._screens.get(below[0])
        if screen is None or len(below) != 1 + screen.of_one:
            raise Unknown("path", path)
        if not screen.of_one:
            return screen, ""
        try:
            return screen, str(UUID(below[1]))
        except ValueError as error:
            raise Unknown(screen.name, below[1]) from error

    async def _ask(self, screen: Screen, id: str, head: Head, scope: Scope) -> Sequence[Answer]:
        """What each part's service says. Nobody waits for the others once the thing itself is refused."""
        async with asyncio.TaskGroup() as group:
            asked = [group.create_task(self._part(part, id, head, scope)) for part in screen.parts]
            first = await asked[0]
            if screen.of_one and not first.good:
                for task in asked[1:]:
                    task.cancel()
                return [first]
        return [task.result() for task in asked]

    async def _part(self, part: Part, id: str, head: Head, scope: Scope) -> Answer:
        path, query = part.target(id)
        return await self._asking.ask(head, scope, path, query)


def _together(screen: Screen, answers: Sequence[Answer]) -> bytes:
    """The screen's body. What the services said stands in it as they said it."""
    parts, left_out = [], []
    for part, answer in zip(screen.parts, answers, strict=True):
        if answer.good:
            parts.append(b'"%s":%s' % (part.name.encode(), answer.body))
        else:
            left_out.append({"part": part.name, "status": answer.status, **_why(answer)})
    links = _links(screen, answers[0].body) if screen.of_one else []
    rest = json.dumps({"left_out": left_out, "links": links}, ensure_ascii=False, separators=(",", ":"))
    return b'{"screen":"%s","parts":{%s},%s' % (screen.name.encode(), b",".join(parts), rest[1:].encode())


def _why(answer: Answer) -> dict[str, str]:
    said = answer.refusal
    return {"type": said["type"], "title": said["title"]}


def _links(screen: Screen, body: bytes) -> list[dict[str, str]]:
    if not screen.links:
        return []
    thing = json.loads(body)
    ids = ((link.screen, thing.get(link.field)) for link in screen.links)
    return [{"screen": name, "id": id, "href": f"{PREFIX}/{name}/{id}"} for name, id in ids if id is not None]


def _entry(screen: Screen) -> dict[str, Any]:
    return {
        "screen": screen.name,
        "says": screen.says,
        "path": path_of(screen),
        "parts": [part.name for part in screen.parts],
        "links": [link.screen for link in screen.links],
    }


async def _answer(body: bytes, rate: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
    tag = f'"{blake2b(body, digest_size=8).hexdigest()}"'
    headers = {**_HEADERS, **rate, "ETag": tag}
    response = Response(body, media_type="application/json", headers=headers)
    seen = not_modified(Request(scope), response)
    if seen is not None:
        seen.headers.update(rate)
    await (seen or response)(scope, receive, send)


async def _refuse(answer: Answer, rate: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse the screen as the thing's own service did. Raises what the gateway itself refuses."""
    if answer.problem is not None:
        raise answer.problem
    said = {name.decode(): value.decode("latin-1") for name, value in answer.headers if name in _OF_REFUSALS}
    await Response(answer.body, answer.status, {**_HEADERS, **said, **rate}, MEDIA_TYPE)(scope, receive, send)
