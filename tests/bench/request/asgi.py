"""Requests as a server hands them over, without a socket: what is measured is the application alone."""

import asyncio
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Asked:
    """A request, over and over: `path` and `body` make another one each time."""

    method: str
    path: Callable[[], str]
    headers: Callable[[], Headers] = field(default=list)
    body: Callable[[], bytes] = bytes
    status: int = 200


async def ask(app: Any, asked: Asked) -> bytes:
    """The body of the answer. Raises ValueError when its status is not the one that it should have."""
    target, body = urlsplit(asked.path()), asked.body()
    lengths = [(b"content-length", str(len(body)).encode())] if body else []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 40_000),
        "scheme": "http",
        "method": asked.method,
        "root_path": "",
        "path": target.path,
        "raw_path": target.path.encode(),
        "query_string": target.query.encode(),
        "headers": [(b"host", b"service"), (b"accept", b"application/json"), *lengths, *asked.headers()],
        "state": {},
    }
    given: Iterator[dict[str, Any]] = iter([{"type": "http.request", "body": body, "more_body": False}])
    answered: list[Any] = []

    async def receive() -> dict[str, Any]:
        if (message := next(given, None)) is not None:
            return message
        return await asyncio.Future()

    async def send(message: dict[str, Any]) -> None:
        answered.append(message)

    await app(scope, receive, send)
    content = b"".join(message.get("body", b"") for message in answered)
    if answered[0]["status"] != asked.status:
        raise ValueError(f"{asked.method} {target.path} was answered with {answered[0]['status']}: {content[:300]!r}")
    return content


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()
