"""Refusals as exceptions, by their status (RFC 9457). Decide by `type`, never by the text."""

from dataclasses import dataclass
from math import isfinite
from typing import Any

import httpx2

PREFIX = "urn:tailrace:problem:"


@dataclass(frozen=True)
class FieldError:
    """`field` is a JSON pointer into the body, or the name of a header or parameter."""

    field: str
    detail: str


class Problem(Exception):
    """What the platform refused. `retry_after` is in seconds, None where the same request will be refused again."""

    def __init__(self, answer: httpx2.Response) -> None:
        said = _body(answer)
        self.status = answer.status_code
        self.type = str(said.get("type", "about:blank"))
        self.title = str(said.get("title", answer.reason_phrase))
        self.detail = str(said.get("detail", ""))
        self.request_id = said.get("request_id") or answer.headers.get("X-Request-Id")
        errors = said.get("errors")
        # What stands between may answer in JSON of their own.
        told = [each for each in errors if isinstance(each, dict)] if isinstance(errors, list) else []
        self.errors = [FieldError(str(each.get("field", "")), str(each.get("detail", ""))) for each in told]
        self.retry_after = retry_after(answer)
        super().__init__(f"{self.status} {self.title}: {self.detail}")

    @property
    def slug(self) -> str:
        """The last part of `type`, such as `stale`."""
        return self.type.removeprefix(PREFIX)


class NotLoggedIn(Problem):
    """401: no token, or one that has ended and could not be renewed."""


class Forbidden(Problem):
    """403: a scope is missing; `detail` names it."""


class Missing(Problem):
    """404: there is none, or it is another tenant's."""


class Conflict(Problem):
    """409: not possible in this state."""


class Stale(Problem):
    """412: it has changed since `If-Match` was read."""


class Unavailable(Problem):
    """429, 502, 503 or 504, still so after the last try."""


_BY_STATUS: dict[int, type[Problem]] = {
    **dict.fromkeys((429, 502, 503, 504), Unavailable),
    401: NotLoggedIn,
    403: Forbidden,
    404: Missing,
    409: Conflict,
    412: Stale,
}


def problem(answer: httpx2.Response) -> Problem:
    """The exception for an answer of 400 or more, whose body was read."""
    return _BY_STATUS.get(answer.status_code, Problem)(answer)


def retry_after(answer: httpx2.Response) -> float | None:
    """Seconds, as the platform sends them; a date, which a proxy may send, counts as none."""
    try:
        seconds = float(answer.headers["Retry-After"])
    except (KeyError, ValueError):
        return None
    return max(0.0, seconds) if isfinite(seconds) else None


def _body(answer: httpx2.Response) -> dict[str, Any]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
