"""The two clients: the same abilities, blocking and awaiting."""

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any, Self, TypeVar, cast

import httpx2

from tailrace_client.contract import Operation, operations
from tailrace_client.flow import Flow, Identity, Marks, Policy, Renew, Send, Tokens, Wait, exchange
from tailrace_client.problems import Problem

_HEADERS = {"if_match": "If-Match", "if_none_match": "If-None-Match", "idempotency_key": "Idempotency-Key"}
_JSON = re.compile(r"application/([\w.-]+\+)?json\b", re.IGNORECASE)
"""Lines of JSON are none."""
Http = TypeVar("Http", httpx2.Client, httpx2.AsyncClient)
REFRESH = "/v1/auth/refresh"
TIMEOUT = 15.0
"""Seconds without a byte. The gateway gives a write five."""
try:
    AGENT = f"tailrace-client/{version('tailrace-client')}"
except PackageNotFoundError:
    AGENT = "tailrace-client"


class _Shared:
    """What both are made of. `renewed` is told new tokens before they are used: a refresh token works once, so keep the new one."""

    def __init__(self, tokens: Tokens | None, policy: Policy | None, renewed: Callable[[Tokens], None] | None) -> None:
        self.identity = Identity(tokens)
        self.marks = Marks()
        self.policy = policy or Policy()
        self._tell = renewed

    def _keep(self, answer: httpx2.Response) -> Tokens:
        tokens = Tokens.of(answer)
        try:
            if self._tell is not None:
                self._tell(tokens)
        finally:
            # The old refresh token is used up, whatever became of telling.
            self.identity.tokens = tokens
        return tokens

    def _came_in(self, tenant: str, answer: httpx2.Response) -> Tokens:
        self.identity.tenant = tenant
        return self._keep(answer)

    def _exchange(self, http: Http, method: str, path: str, options: dict[str, Any]) -> Flow:
        if not isinstance(options.get("content", b""), bytes | str | None):
            raise TypeError("`content` is bytes or text: what can be read only once cannot be sent a second time")
        headers = dict(options.pop("headers", None) or {})
        for name, header in _HEADERS.items():
            if (value := options.pop(name, None)) is not None:
                headers[header] = value
        return exchange(
            http.build_request(method, path, headers=headers, **options), self.identity, self.marks, self.policy
        )

    def _still(self, step: Renew) -> str | None:
        """The refresh token to use, None when the access token is another by now, or one may wait before trying again."""
        tokens = self.identity.tokens
        if step.early and self.identity.held:
            return None
        return tokens.refresh if tokens and tokens.access == step.stale else None

    def _session_of(self, made: Self) -> Self:
        made.__dict__.update(self.__dict__)
        made.marks = Marks()
        return made


def _log_in(tenant: str, email: str, password: str) -> dict[str, str]:
    return {"tenant": tenant, "email": email, "password": password}


def _operation(name: str, said: dict[str, Any]) -> tuple[Operation, str, dict[str, Any]]:
    operation = operations()[name]
    path, query = operation.address(said)
    return operation, path, query


class Client(_Shared):
    """`with Client("http://127.0.0.1:8000") as client: client.log_in(…)`. May be used by several threads."""

    def __init__(
        self,
        url: str,
        *,
        tokens: Tokens | None = None,
        policy: Policy | None = None,
        renewed: Callable[[Tokens], None] | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(tokens, policy, renewed)
        self._http = httpx2.Client(base_url=url, timeout=timeout, headers={"User-Agent": AGENT})
        self._renewing = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def session(self) -> Self:
        """The same client with writes of its own to be read: it hands on what it wrote itself, and nobody else's."""
        return self._session_of(object.__new__(type(self)))

    def log_in(self, tenant: str, email: str, password: str) -> Tokens:
        """Raises NotLoggedIn for wrong credentials."""
        return self._came_in(tenant, self.request("POST", "/v1/auth/login", json=_log_in(tenant, email, password)))

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """Takes `json`, `params`, `content` (bytes or text), `headers`, `if_match`, `if_none_match` and `idempotency_key`.

        Raises Problem, httpx2.TransportError, or TypeError.
        """
        return self._run(self._exchange(self._http, method, path, options))

    def call(
        self,
        operation: str,
        *,
        body: Any = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
        **said: Any,
    ) -> Any:
        """What the operation answers, read from JSON; bytes where it is something else. Raises as `request`, and KeyError, TypeError."""
        what, path, query = _operation(operation, said)
        headers = {"if_match": if_match, "idempotency_key": idempotency_key}
        return _read(self.request(what.method, path, params=query, json=body, **headers))

    def every(self, operation: str, *, limit: int = 200, **said: Any) -> Iterator[Any]:
        """The items of all pages, asked for as they are needed, `limit` at a time."""
        cursor = None
        while True:
            page = self.call(operation, limit=limit, **said, **({"cursor": cursor} if cursor else {}))
            yield from page["items"]
            if (cursor := page["next_cursor"]) is None:
                return

    def _run(self, flow: Flow) -> httpx2.Response:
        step = next(flow)
        while True:
            answer = None
            try:
                if isinstance(step, Send):
                    answer = self._http.send(step.request)
                elif isinstance(step, Wait):
                    time.sleep(step.seconds)
                else:
                    self._renew(step)
            except (Problem, httpx2.TransportError) as failed:
                step = flow.throw(failed)
                continue
            try:
                step = flow.send(answer)
            except StopIteration as end:
                return cast(httpx2.Response, end.value)

    def _renew(self, step: Renew) -> None:
        with self._renewing:
            if refresh := self._still(step):
                try:
                    self._keep(self.request("POST", REFRESH, json={"refresh_token": refresh}))
                except BaseException as failed:
                    self.identity.not_renewed(failed, refresh)
                    raise


class AsyncClient(_Shared):
    """As `Client`, for one event loop."""

    def __init__(
        self,
        url: str,
        *,
        tokens: Tokens | None = None,
        policy: Policy | None = None,
        renewed: Callable[[Tokens], None] | None = None,
        timeout: float = TIMEOUT,
    ) -> None:
        super().__init__(tokens, policy, renewed)
        self._http = httpx2.AsyncClient(base_url=url, timeout=timeout, headers={"User-Agent": AGENT})

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.identity.renewing is not None:
            await asyncio.wait([self.identity.renewing])
        await self._http.aclose()

    def session(self) -> Self:
        """As `Client.session`."""
        return self._session_of(object.__new__(type(self)))

    async def log_in(self, tenant: str, email: str, password: str) -> Tokens:
        """As `Client.log_in`."""
        return self._came_in(
            tenant, await self.request("POST", "/v1/auth/login", json=_log_in(tenant, email, password))
        )

    async def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """As `Client.request`."""
        return await self._run(self._exchange(self._http, method, path, options))

    async def call(
        self,
        operation: str,
        *,
        body: Any = None,
        if_match: str | None = None,
        idempotency_key: str | None = None,
        **said: Any,
    ) -> Any:
        """As `Client.call`."""
        what, path, query = _operation(operation, said)
        headers = {"if_match": if_match, "idempotency_key": idempotency_key}
        return _read(await self.request(what.method, path, params=query, json=body, **headers))

    async def every(self, operation: str, *, limit: int = 200, **said: Any) -> AsyncIterator[Any]:
        """As `Client.every`."""
        cursor = None
        while True:
            page = await self.call(operation, limit=limit, **said, **({"cursor": cursor} if cursor else {}))
            for item in page["items"]:
                yield item
            if (cursor := page["next_cursor"]) is None:
                return

    async def _run(self, flow: Flow) -> httpx2.Response:
        step = next(flow)
        while True:
            answer = None
            try:
                if isinstance(step, Send):
                    answer = await self._http.send(step.request)
                elif isinstance(step, Wait):
                    await asyncio.sleep(step.seconds)
                else:
                    await self._renew(step)
            except (Problem, httpx2.TransportError) as failed:
                step = flow.throw(failed)
                continue
            try:
                step = flow.send(answer)
            except StopIteration as end:
                return cast(httpx2.Response, end.value)

    async def _renew(self, step: Renew) -> None:
        """One at a time, however many wait; that one of them no longer waits does not end it."""
        if not (refresh := self._still(step)):
            return
        if self.identity.renewing is None:
            self.identity.renewing = asyncio.create_task(self._refresh(refresh))
            self.identity.renewing.add_done_callback(self._renewed)
        await asyncio.shield(self.identity.renewing)

    def _renewed(self, renewal: asyncio.Task[None]) -> None:
        self.identity.renewing = None
        if not renewal.cancelled():
            renewal.exception()  # who waits is told; perhaps nobody does

    async def _refresh(self, refresh: str) -> None:
        try:
            self._keep(await self.request("POST", REFRESH, json={"refresh_token": refresh}))
        except BaseException as failed:
            self.identity.not_renewed(failed, refresh)
            raise


def _read(answer: httpx2.Response) -> Any:
    if not answer.content:
        return None
    return answer.json() if _JSON.match(answer.headers.get("Content-Type", "")) else answer.content
