"""A careful client of the gateway, and the log of all it asked: what is not answered is asked again with the same key until it is.

The log is kept outside the fleet, a JSON object a line: `asked` before a request leaves, `unknown` for each attempt of which nobody can say what
became of it, `answered` with the final status and body.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, NamedTuple, Self
from uuid import NAMESPACE_URL, uuid5

import aiohttp

TIMEOUT = 300.0
"""Seconds in which everything must come right, whatever was killed."""
_ONE_TRY = 12.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.1, 1.0
_LONGEST_RETREAT = 10.0
"""The pause of one who gets no answer grows this far: a fleet that is asked again and again for what it has no time for never recovers."""
_LOG_IN = "/v1/auth/login"


class RefusedError(Exception):
    """The gateway said no, and meant it."""

    def __init__(self, what: str, status: int, problem: Any) -> None:
        super().__init__(f"{what}: {status} {problem}")
        self.status, self.problem = status, problem


class Reply(NamedTuple):
    status: int
    body: Any
    headers: dict[str, str]


@dataclass
class RequestLog:
    """Writes as it goes; `counts` are what a report tells of it."""

    path: Path
    counts: Counter[str] = field(default_factory=Counter)
    _file: IO[str] | None = None

    def write(self, what: str, **entry: Any) -> None:
        if self._file is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("w")
        self._file.write(json.dumps({"what": what, **entry}) + "\n")
        self.counts[what] += 1

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Everything, as it was written, from the file."""
        if self._file is not None:
            self._file.flush()
        with self.path.open() as file:
            yield from map(json.loads, file)


class Session:
    """One pool of connections to the gateway, and one log."""

    def __init__(self, gateway: str, log: RequestLog) -> None:
        self.gateway = gateway
        self.log = log
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_ONE_TRY), connector=aiohttp.TCPConnector(limit=64)
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.close()

    async def user(self, tenant: str, email: str, password: str) -> "User":
        user = User(self, tenant, email, password)
        await user.log_in()
        return user

    async def once(self, method: str, path: str, headers: dict[str, str], body: Any, params: Any) -> Reply:
        """One attempt. No answer is told as status 0."""
        try:
            async with self._http.request(
                method, self.gateway + path, headers=headers, json=body, params=params
            ) as answer:
                text = await answer.text()
                return Reply(answer.status, _json(text), {k.lower(): v for k, v in answer.headers.items()})
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            return Reply(0, {"title": type(error).__name__}, {})


@dataclass
class User:
    """Somebody logged in, and again whenever the token has run out."""

    session: Session
    tenant: str
    email: str
    password: str
    token: str = ""

    async def log_in(self) -> None:
        body = {"tenant": self.tenant, "email": self.email, "password": self.password}
        answer = await self._ask("POST", _LOG_IN, {}, body)
        self.token = answer.body["access_token"]

    async def get(self, path: str, *, after: str | None = None, **params: Any) -> Any:
        """What is there; with `after`, what is there once the events of that write have had their effect."""
        headers = {} if after is None else {"Tailrace-After": after}
        return (await self._ask("GET", path, headers, params={k: str(v) for k, v in params.items()})).body

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

    async def until(self, path: str, holds: Callable[[Any], bool], *, what: str, **params: Any) -> Any:
        """Read until it holds. Raises TimeoutError that says what was awaited."""
        deadline = asyncio.get_running_loop().time() + TIMEOUT
        pause = _FIRST_PAUSE
        while not holds(answer := await self.get(path, **params)):
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"{self.tenant}: waited in vain for {what}; last: {answer}")
            await asyncio.sleep(pause)
            pause = min(pause * 1.4, _LONGEST_PAUSE)
        return answer

    async def post(self, path: str, body: Any, *, key: str) -> Any:
        return (await self.write("POST", path, body, key=key)).body

    async def write(self, method: str, path: str, body: Any, *, key: str, may_be_refused: bool = False) -> Reply:
        """One change, logged. Raises RefusedError, unless a refusal for the state of things is as good an answer."""
        log, name = self.session.log, str(uuid5(NAMESPACE_URL, f"tailrace-mix/{self.tenant}/{key}"))
        request = {"tenant": self.tenant, "user": self.email, "key": key, "method": method, "path": path, "body": body}
        log.write("asked", **request)
        unknown = Counter[str]()
        try:
            answer = await self._ask(method, path, {"Idempotency-Key": name}, body, unknown=unknown)
        except RefusedError as refusal:
            if not (may_be_refused and refusal.status == 409):
                raise
            answer = Reply(refusal.status, refusal.problem, {})
        for why, times in unknown.items():
            log.write("unknown", key=key, tenant=self.tenant, why=why, times=times)
        replayed = answer.headers.get("idempotency-replayed") == "true"
        log.counts["answered from memory"] += replayed
        log.write("answered", **request, status=answer.status, answer=answer.body, replayed=replayed)
        return answer

    async def _ask(
        self,
        method: str,
        path: str,
        headers: dict[str, str],
        body: Any = None,
        params: Any = None,
        unknown: Counter[str] | None = None,
    ) -> Reply:
        """Ask until there is an answer that counts. Raises RefusedError for a final no."""
        deadline = asyncio.get_running_loop().time() + TIMEOUT
        pause = _FIRST_PAUSE
        while True:
            sent = headers if path == _LOG_IN else {**headers, "Authorization": f"Bearer {self.token}"}
            answer = await self.session.once(method, path, sent, body, params)
            if 200 <= answer.status < 300:
                return answer
            if answer.status == 401 and path != _LOG_IN:
                # The token ran out, or its key was replaced.
                await self.log_in()
            elif not _passes(answer) or asyncio.get_running_loop().time() > deadline:
                raise RefusedError(f"{self.tenant} {method} {path} {body or ''}", answer.status, answer.body)
            if unknown is not None and (answer.status == 0 or answer.status >= 500):
                unknown[f"{answer.status or answer.body['title']}"] += 1
            await asyncio.sleep(pause * random.uniform(0.5, 1))
            pause = min(pause * 1.5, _LONGEST_RETREAT)


def _passes(answer: Reply) -> bool:
    """Whether to ask again: nobody answered, something on the way is down, or it is too early."""
    if answer.status in {0, 429} or answer.status >= 500:
        return True
    kind = answer.body.get("type", "") if isinstance(answer.body, dict) else ""
    return answer.status == 409 and str(kind).endswith(("not-yet-known", "in-flight"))


def _json(text: str) -> Any:
    with suppress(ValueError):
        return json.loads(text) if text else None
    return {"title": text[:200]}
