"""A careful client of the gateway: the same key on every retry, waiting when told to, and a log of every request that was accepted."""

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Self
from uuid import NAMESPACE_URL, uuid5

import aiohttp

from tailrace_demo.lanes import Lanes

_TIMEOUT = 300.0
_NOT_IN_TIME = frozenset({429, 502, 503, 504})


class RefusedError(Exception):
    """The gateway said no, and meant it: status, and its problem document."""

    def __init__(self, method: str, path: str, status: int, problem: Any) -> None:
        super().__init__(f"{method} {path}: {status} {problem}")
        self.status = status
        self.problem = problem


@dataclass
class RequestLog:
    """Accepted writes, one JSON object a line, in the order in which they were answered."""

    path: Path
    entries: list[dict[str, Any]] = field(default_factory=list)

    def add(self, **entry: Any) -> None:
        self.entries.append(entry)

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.write_text("".join(json.dumps(entry) + "\n" for entry in self.entries))


class Session:
    """One connection pool to the gateway."""

    def __init__(self, gateway: str, log: RequestLog) -> None:
        self.gateway = gateway
        self.log = log
        self._lanes = Lanes()
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=15), connector=aiohttp.TCPConnector(limit=32)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def log_in(self, tenant: str, email: str, password: str) -> "User":
        body = {"tenant": tenant, "email": email, "password": password}
        answer, _ = await self.told("POST", "/v1/auth/login", {}, body)
        return User(self, tenant, email, answer["access_token"])

    async def told(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        body: Any = None,
        params: Mapping[str, str] | None = None,
    ) -> tuple[Any, str]:
        """One request, retried while the fleet is not ready for it: the answer, and the events that it made. Who names those as `Tailrace-After` is
        answered by services that have heard of them. Raises RefusedError for a final no.
        """
        deadline = asyncio.get_running_loop().time() + _TIMEOUT
        while True:
            status, answer, wait, events = await self._lanes.send(
                partial(self._once, method, path, headers, body, params), lambda said: said[0] in _NOT_IN_TIME
            )
            if 200 <= status < 300:
                return answer, events
            if not _passes(status, answer) or asyncio.get_running_loop().time() > deadline:
                raise RefusedError(method, path, status, answer)
            await asyncio.sleep(wait)

    async def _once(
        self, method: str, path: str, headers: Mapping[str, str], body: Any, params: Mapping[str, str] | None
    ) -> tuple[int, Any, float, str]:
        try:
            async with self._http.request(
                method, self.gateway + path, headers=headers, json=body, params=params
            ) as answer:
                text = await answer.text()
                wait = min(float(answer.headers.get("Retry-After", "0.2")), 1.0)
                said = json.loads(text) if text and "json" in answer.content_type else text or None
                return answer.status, said, wait, answer.headers.get("Tailrace-Event", "")
        except (aiohttp.ClientError, TimeoutError) as error:
            return 503, {"title": repr(error)}, 0.3, ""

    async def events(self, path: str, headers: Mapping[str, str]) -> AsyncGenerator[dict[str, Any], None]:
        """The data of each server-sent event, until the stream ends. Raises RefusedError."""
        forever = aiohttp.ClientTimeout(total=None, sock_read=_TIMEOUT)
        async with self._http.get(self.gateway + path, headers=headers, timeout=forever) as answer:
            if answer.status != 200:
                raise RefusedError("GET", path, answer.status, await answer.text())
            async for line in answer.content:
                name, _, data = line.decode().strip().partition(": ")
                if name == "data":
                    yield json.loads(data)


def _passes(status: int, answer: Any) -> bool:
    if status in _NOT_IN_TIME:
        return True
    kind = answer.get("type", "") if isinstance(answer, dict) else ""
    return status == 409 and kind.endswith(("not-yet-known", "in-flight"))


def _behind(after: str) -> dict[str, str]:
    return {"Tailrace-After": after} if after else {}


@dataclass
class User:
    """Somebody logged in. `key` of a write names it for ever: sent again, it is answered again and changes nothing."""

    session: Session
    tenant: str
    email: str
    token: str

    async def get(self, path: str, *, after: str = "", **params: Any) -> Any:
        """What is answered: JSON as Python has it, anything else as text. `after`: what must have been heard of, as `told` gives it."""
        asked = {name: str(value) for name, value in params.items()}
        return (await self.session.told("GET", path, self._headers | _behind(after), params=asked))[0]

    async def every(self, path: str, **params: Any) -> list[Any]:
        """All pages of a list."""
        items: list[Any] = []
        cursor: dict[str, str] = {}
        while True:
            page = await self.get(path, limit=200, **params, **cursor)
            items += page["items"]
            if page["next_cursor"] is None:
                return items
            cursor = {"cursor": page["next_cursor"]}

    async def post(self, path: str, body: Any, *, key: str, after: str = "") -> Any:
        """`after`: what must have been heard of, as `told` gives it."""
        return (await self._write("POST", path, body, key, after))[0]

    async def told(self, path: str, body: Any, *, key: str, method: str = "POST") -> tuple[Any, str]:
        """The answer, and the events that it made."""
        return await self._write(method, path, body, key)

    async def put(self, path: str, body: Any, *, key: str) -> Any:
        return (await self._write("PUT", path, body, key))[0]

    async def patch(self, path: str, body: Any, *, key: str) -> Any:
        return (await self._write("PATCH", path, body, key))[0]

    async def _write(self, method: str, path: str, body: Any, key: str, after: str = "") -> tuple[Any, str]:
        name = str(uuid5(NAMESPACE_URL, f"tailrace-demo/{self.tenant}/{key}"))
        headers = {**self._headers, "Idempotency-Key": name} | _behind(after)
        answer, events = await self.session.told(method, path, headers, body)
        said = {"method": method, "path": path, "body": body, "answer": answer}
        self.session.log.add(tenant=self.tenant, user=self.email, key=key, **said)
        return answer, events

    def events(self, path: str, *, after: str) -> AsyncGenerator[dict[str, Any], None]:
        """What comes behind the event with that id, and then as it comes."""
        return self.session.events(path, {**self._headers, "Last-Event-ID": after})

    async def until(self, path: str, holds: Any, *, what: str) -> Any:
        """Read until it holds. Raises TimeoutError that says what was awaited."""
        deadline = asyncio.get_running_loop().time() + _TIMEOUT
        pause = 0.5
        while True:
            answer = await self.get(path)
            if holds(answer):
                return answer
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"waited in vain for {what}; last: {answer}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 2.0)

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}
