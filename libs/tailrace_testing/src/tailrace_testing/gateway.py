"""The fleet as a client sees it: through the gateway alone, with log-ins, keys and retries as a careful client would do it."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

import httpx2

from tailrace.core.ids import uuid7

T = TypeVar("T")
PASSWORD = "correct horse battery staple"
_LONGEST_PAUSE = 0.5


async def eventually(
    ask: Callable[[], Awaitable[T]],
    holds: Callable[[T], bool],
    *,
    within: float = 300.0,
    what: str = "the condition",
    every: float = 0.05,
) -> T:
    """Ask again until the answer holds, each time a fifth later, half a second at most: who asks takes the processor from who is to bring it about.

    Raises AssertionError with the last answer when it does not within so many seconds.
    """
    deadline = asyncio.get_running_loop().time() + within
    pause = every
    while True:
        answer = await ask()
        if holds(answer):
            return answer
        if asyncio.get_running_loop().time() > deadline:
            raise AssertionError(f"{what} did not come about within {within:g} s; last: {answer}")
        await asyncio.sleep(pause)
        pause = max(every, min(pause * 1.2, _LONGEST_PAUSE))


@dataclass
class Member:
    """Somebody logged in, with the headers that say so."""

    client: httpx2.AsyncClient
    tenant_id: str
    slug: str
    email: str
    token: str
    refresh_token: str

    async def send(self, method: str, path: str, *, key: str | None = None, **options: Any) -> httpx2.Response:
        """One request, once."""
        headers = {"Authorization": f"Bearer {self.token}", **options.pop("headers", {})}
        if method != "GET":
            headers.setdefault("Idempotency-Key", key or str(uuid7()))
        return await self.client.request(method, path, headers=headers, **options)

    async def get(self, path: str, *, having_seen: str | None = None, **params: Any) -> Any:
        """What is there, as soon as somebody answers; with `having_seen`, once that event has been applied there.

        Raises AssertionError for any refusal.
        """
        headers = {} if having_seen is None else {"Tailrace-After": having_seen}
        return await self._patiently("GET", path, params=params, headers=headers)

    async def post(self, path: str, body: Any = None, **options: Any) -> Any:
        """Post until it is accepted, with the same key on every try. Raises AssertionError for any other refusal."""
        return await self._patiently("POST", path, json=body, **options)

    async def put(self, path: str, body: Any, **options: Any) -> Any:
        """As `post`."""
        return await self._patiently("PUT", path, json=body, **options)

    async def patch(self, path: str, body: Any = None, **options: Any) -> Any:
        """As `post`."""
        return await self._patiently("PATCH", path, json=body, **options)

    async def delete(self, path: str, **options: Any) -> None:
        """As `post`."""
        await self._patiently("DELETE", path, **options)

    async def _patiently(
        self,
        method: str,
        path: str,
        *,
        within: float = 600.0,
        key: str | None = None,
        marks: list[str] | None = None,
        **options: Any,
    ) -> Any:
        """409 not-yet-known and in-flight, 429, 5xx of the way there and broken connections are waited out. `marks` takes `Tailrace-Event`."""
        key = key or str(uuid7())
        deadline = asyncio.get_running_loop().time() + within
        while True:
            answer: httpx2.Response | None = None
            with suppress(httpx2.TransportError):
                answer = await self.send(method, path, key=key, **options)
            if answer is not None and answer.status_code < 300:
                if marks is not None:
                    marks.append(answer.headers["tailrace-event"])
                return answer.json() if answer.content else None
            said = "no answer" if answer is None else f"{answer.status_code} {answer.text}"
            if answer is not None and not _passes(answer):
                raise AssertionError(f"{method} {path}: {said}")
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"{method} {path} was not accepted within {within:g} s; last: {said}")
            await asyncio.sleep(0.1)

    async def every(self, path: str, **params: Any) -> list[Any]:
        """All pages of a list."""
        items: list[Any] = []
        cursor = None
        while True:
            page = await self.get(path, limit=200, **params, **({"cursor": cursor} if cursor else {}))
            items += page["items"]
            cursor = page["next_cursor"]
            if cursor is None:
                return items


_operators: dict[str, Member] = {}
"""By the gateway's address."""


def _passes(answer: httpx2.Response) -> bool:
    if answer.status_code in {429, 502, 503, 504}:
        return True
    return answer.status_code == 409 and answer.json().get("type", "").endswith(("not-yet-known", "in-flight"))


class Gateway:
    """`async with Gateway(url, operator_password) as gateway`."""

    def __init__(self, url: str, operator_password: str) -> None:
        self.url = url
        self._operator_password = operator_password
        self.client = httpx2.AsyncClient(base_url=url, timeout=15)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.aclose()

    async def log_in(self, slug: str, email: str, password: str = PASSWORD) -> Member:
        """What a busy machine or a service that starts makes fail is tried again."""
        credentials = {"tenant": slug, "email": email, "password": password}
        answer = await eventually(
            lambda: self.client.post("/v1/auth/login", json=credentials),
            lambda answer: answer.status_code not in {502, 503, 504},
            what="a log-in",
        )
        assert answer.status_code == 200, answer.text
        body = answer.json()
        member = Member(self.client, "", slug, email, body["access_token"], body["refresh_token"])
        member.tenant_id = (await member.get("/v1/auth/me"))["tenant"]["id"]
        return member

    async def operator(self) -> Member:
        return await self.log_in("platform", "operator@platform.local", self._operator_password)

    async def _known_operator(self) -> Member:
        """Logged in once for many tests, as long as that holds: checking a password is the dearest request of all."""
        known = _operators.get(self.url)
        if known is not None:
            known = replace(known, client=self.client)
            answer = await known.send("GET", "/v1/auth/me")
        if known is None or answer.status_code != 200:
            known = _operators[self.url] = await self.operator()
        return known

    async def new_tenant(self, currency: str = "EUR", **more: Any) -> Member:
        """A tenant that no other test knows, and its administrator, logged in. `more` are further fields of the tenant's."""
        slug = f"t-{uuid7().hex[-12:]}"
        email = f"admin@{slug}.example"
        body = {
            "slug": slug,
            "name": f"Company {slug}",
            "currency": currency,
            "admin": {"email": email, "name": "Admin", "password": PASSWORD},
            **more,
        }
        await (await self._known_operator()).post("/v1/tenants", body)
        return await self.log_in(slug, email)
