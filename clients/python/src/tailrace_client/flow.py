"""What happens to one request until it is answered: keys, tokens, marks and tries, without a socket or a clock of its own.

`exchange` yields what is to be done, and the two clients do it, one by blocking and one by awaiting.
"""

import random
import time
from collections.abc import Generator
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

import httpx2

from tailrace_client.problems import Problem, problem, retry_after

WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
WITHOUT_KEY = frozenset({"/v1/auth/login", "/v1/auth/refresh", "/v1/auth/logout", "/v1/auth/token"})
"""Their answers are secrets and are never stored, so a second try could be a second use."""
_NOTHING_DONE = frozenset({429, 503})
_ANSWER_LOST = frozenset({502, 504})
_PASSING = frozenset({"not-yet-known", "idempotency-key-in-flight"})


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
        return self.refresh is not None and self.ends_at is not None and self.ends_at - time.time() < seconds


@dataclass
class Identity:
    """Who asks; shared by all sessions of a client."""

    tokens: Tokens | None = None


@dataclass
class Marks:
    """What the last write of a session recorded; handed on as `Tailrace-After`."""

    last: str | None = None


@dataclass(frozen=True)
class Send:
    request: httpx2.Request


@dataclass(frozen=True)
class Wait:
    seconds: float


@dataclass(frozen=True)
class Renew:
    """Exchange the refresh token, unless the access token is no longer `stale`: somebody else has done it."""

    stale: str


Step = Send | Wait | Renew
Flow = Generator[Step, httpx2.Response | None, httpx2.Response]


def exchange(request: httpx2.Request, identity: Identity, marks: Marks, policy: Policy) -> Flow:
    """The answer, below 400. Raises Problem, or httpx2.TransportError when no try was answered."""
    keyed = prepare(request, marks)
    renewed = False
    attempt = count(1)
    tried = next(attempt)
    while True:
        if keyed and identity.tokens and not renewed and identity.tokens.end_within(policy.renew_before):
            yield Renew(identity.tokens.access)
        used = _authorize(request, identity) if keyed else None
        try:
            answer = yield Send(request)
        except httpx2.TransportError as lost:
            if tried >= policy.attempts or not (keyed or isinstance(lost, httpx2.ConnectError)):
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
                marks.last = answer.headers.get("Tailrace-Event") or marks.last
            return answer
        refused = problem(answer)
        if tried >= policy.attempts or not _passes(refused, keyed) or (retry_after(answer) or 0) > policy.longest_pause:
            raise refused
        yield Wait(policy.pause(tried, refused.retry_after))
        tried = next(attempt)


def prepare(request: httpx2.Request, marks: Marks) -> bool:
    """Give it its key and mark. Whether a second try does no more than the first."""
    if request.url.path in WITHOUT_KEY:
        return False
    if request.method in WRITES:
        request.headers.setdefault("Idempotency-Key", str(uuid4()))
    if marks.last is not None:
        request.headers.setdefault("Tailrace-After", marks.last)
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
