"""What happens to one request until it is answered: keys, tokens, marks and tries, without a socket or a clock of its own.

`exchange` yields what is to be done, and the two clients do it, one by blocking and one by awaiting.
"""

import asyncio
import random
import re
import threading
import time
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from itertools import count
from uuid import uuid4

import httpx2

from tailrace_client.problems import Problem, problem, retry_after

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
WITHOUT_KEY = ("/v1/auth/login", "/v1/auth/refresh", "/v1/auth/logout", "/v1/auth/token")
"""Their answers are secrets and are never stored, so a second try could be a second use."""
_NOTHING_DONE = frozenset({429, 503})
_NOTHING_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout)
"""There was no connection, so that nobody can have done anything."""
_ANSWER_LOST = frozenset({502, 504})
_PASSING = frozenset({"not-yet-known", "idempotency-key-in-flight"})
_MARK = re.compile(r"([^\s,]+)@([0-9]+)")
HOLD = 10.0
"""Seconds before an early renewal that failed is tried again."""
HANDED_ON = 60.0
"""Seconds for which a write is handed on: a reader that is further behind, or gave an event up, is not waited for any longer."""
NAMED = 20
"""Aggregates named at most."""


@dataclass(frozen=True)
class Policy:
    """How long to try. Times in seconds; `attempts` counts the first."""

    attempts: int = 5
    first_pause: float = 0.2
    longest_pause: float = 30.0
    renew_before: float = 60.0

    def pause(self, attempt: int, asked: float | None) -> float:
        """What the server asked for and a little more, so that clients do not come back together; else random up to a doubling bound."""
        if asked is not None:
            return asked + random.uniform(0, self.first_pause)
        return random.uniform(0, min(self.longest_pause, self.first_pause * 2**attempt))


@dataclass
class Tokens:
    """`ends_at` is in seconds since 1970."""

    access: str
    refresh: str | None = None
    ends_at: float | None = None

    @classmethod
    def of(cls, answer: httpx2.Response) -> "Tokens":
        """From the answer to a log-in or a refresh."""
        said = answer.json()
        return cls(said["access_token"], said["refresh_token"], time.time() + said["expires_in"])

    def end_within(self, seconds: float) -> bool:
        """Whether the access token ends by then and can be renewed."""
        return self.refresh is not None and self.ends_at is not None and self.ends_at - time.time() <= seconds


@dataclass
class Identity:
    """Who asks, and for which company when that was said by logging in; shared by all sessions of a client."""

    tokens: Tokens | None = None
    tenant: str | None = None
    renewing: asyncio.Task[None] | None = field(default=None, init=False)
    """Of the client that awaits: the renewal that is under way."""
    _held_until: float = field(default=0.0, init=False)

    @property
    def held(self) -> bool:
        return time.monotonic() < self._held_until

    def not_renewed(self, failed: BaseException, used: str) -> None:
        """A refresh token that may have been used is forgotten: a second use ends the session."""
        self._held_until = time.monotonic() + HOLD
        undone = isinstance(failed, _NOTHING_SENT) or (isinstance(failed, Problem) and failed.status in _NOTHING_DONE)
        if not undone and self.tokens is not None and self.tokens.refresh == used:
            self.tokens = replace(self.tokens, refresh=None)


class Marks:
    """What a session wrote in the last minute, by aggregate; handed on as `Tailrace-After`, within the company that it was written in.

    Nobody of another company ever hears of it, and would wait for it in vain.
    """

    def __init__(self) -> None:
        self._kept: dict[str, tuple[int, float, str | None]] = {}
        self._changing = threading.Lock()

    def note(self, said: str, tenant: str | None) -> None:
        """From `Tailrace-Event`, a list of `<topic>/<aggregate>@<sequence>`."""
        with self._changing:
            for aggregate, sequence in _MARK.findall(said):
                before = self._kept.pop(aggregate, (0,))[0]
                self._kept[aggregate] = max(int(sequence), before), time.monotonic(), tenant
            for oldest in list(self._kept)[:-NAMED]:
                del self._kept[oldest]

    def named(self, tenant: str | None) -> str:
        """The header's value; empty for nothing."""
        now = time.monotonic()
        with self._changing:
            kept = [
                (name, sequence)
                for name, (sequence, at, of) in self._kept.items()
                if of == tenant and now - at < HANDED_ON
            ]
        return ", ".join(f"{name}@{sequence}" for name, sequence in kept)


@dataclass(frozen=True)
class Send:
    request: httpx2.Request


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Renew:
    """Exchange the refresh token, unless the access token is no longer `stale`: another request has done it."""

    stale: str
    early: bool = False


Step = Send | Wait | Renew
Flow = Generator[Step, httpx2.Response | None, httpx2.Response]


def exchange(request: httpx2.Request, identity: Identity, marks: Marks, policy: Policy) -> Flow:
    """The answer, below 400. Raises Problem, or httpx2.TransportError when no try was answered."""
    # Of this company, whatever the answer comes behind: somebody may log in elsewhere meanwhile.
    tenant = identity.tenant
    keyed = prepare(request, marks, tenant)
    renewed = False
    attempt = count(1)
    tried = next(attempt)
    while True:
        if keyed and not renewed:
            yield from _renew_early(identity, policy)
        used = _authorize(request, identity) if keyed else None
        try:
            answer = yield Send(request)
        except httpx2.TransportError as lost:
            if tried >= policy.attempts or not (keyed or isinstance(lost, _NOTHING_SENT)):
                raise
            yield Wait(policy.pause(tried, None))
            tried = next(attempt)
            continue
        assert answer is not None
        if answer.status_code == 401 and used and used.refresh and not renewed:
            renewed = True
            yield Renew(used.access)
            continue
        if answer.status_code < 400:
            if keyed:
                marks.note(answer.headers.get("Tailrace-Event", ""), tenant)
            return answer
        refused = problem(answer)
        if tried >= policy.attempts or not _passes(refused, keyed) or (retry_after(answer) or 0) > policy.longest_pause:
            raise refused
        yield Wait(policy.pause(tried, refused.retry_after))
        tried = next(attempt)


def _renew_early(identity: Identity, policy: Policy) -> Generator[Step, httpx2.Response | None, None]:
    """A token that has not ended is used although it could not be renewed."""
    tokens = identity.tokens
    if tokens is None or not tokens.end_within(policy.renew_before):
        return
    ended = tokens.end_within(0)
    if identity.held and not ended:
        return
    try:
        yield Renew(tokens.access, early=not ended)
    except (Problem, httpx2.TransportError):
        if ended:
            raise


def prepare(request: httpx2.Request, marks: Marks, tenant: str | None) -> bool:
    """Give it its key and marks. Whether a second try does no more than the first."""
    if request.url.path.endswith(WITHOUT_KEY):
        return False
    if request.method in WRITES:
        request.headers.setdefault("Idempotency-Key", str(uuid4()))
    if named := marks.named(tenant):
        request.headers.setdefault("Tailrace-After", named)
    return True


def _authorize(request: httpx2.Request, identity: Identity) -> Tokens | None:
    if identity.tokens is not None:
        request.headers["Authorization"] = f"Bearer {identity.tokens.access}"
    return identity.tokens


def _passes(refused: Problem, keyed: bool) -> bool:
    if refused.status in _NOTHING_DONE:
        return True
    if not keyed:
        return False
    return refused.status in _ANSWER_LOST or (refused.status == 409 and refused.slug in _PASSING)
