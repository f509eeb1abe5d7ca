"""The gateway's own refusals. What an upstream refuses passes through untouched."""

import math

from tailrace.core.errors import Problem, Unauthenticated, Unavailable


class TooManyRequests(Problem):
    """429: the tenant's or the address's allowance is used up; `Retry-After` says when there is more."""

    status, slug, title = 429, "too-many-requests", "Too many requests"

    def __init__(self, whose: str, retry_after: float, headers: dict[str, str]) -> None:
        super().__init__(
            f"The allowance of this {whose} is used up.",
            headers={"Retry-After": str(max(1, math.ceil(retry_after))), **headers},
        )


class TooManyAtOnce(Problem):
    """429: the tenant or the address has as many requests under way as it may; nothing was done. Wait for the answer to one of them."""

    status, slug, title = 429, "too-many-at-once", "Too many requests at once"

    def __init__(self, what: str, whose: str, most: int) -> None:
        super().__init__(f"At most {most} {what} of this {whose} are under way at once.", headers={"Retry-After": "1"})


class Revoked(Unauthenticated):
    """401: the token was good, and was revoked since. Refresh it; log in again when that is refused, too."""

    slug, title = "token-revoked", "The token was revoked"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'


class NotPersisted(Problem):
    """404: this process does not know the hash; send it again with the document."""

    status, slug, title = 404, "persisted-query-not-found", "PersistedQueryNotFound"


class TooSlow(Problem):
    """429: changes came faster than this client took them; it has to subscribe again."""

    status, slug, title = 429, "too-slow", "Changes were not taken in time"


class TooMuch(Problem):
    """422: the operation may be larger than is answered. Nothing was asked of any service."""

    status, slug, title = 422, "query-too-large", "The operation is too large"


def upstream_down(service: str, retry_after: float = 1) -> Unavailable:
    """503: the service cannot be reached at the moment; nothing was done."""
    said = f"The service {service} cannot be reached at the moment; nothing was done."
    return Unavailable(said, retry_after=max(1, math.ceil(retry_after)))


class UpstreamBroke(Problem):
    """502: the service broke off before it answered; a write may have been done, and its Idempotency-Key makes asking again safe."""

    status, slug, title = 502, "bad-gateway", "The service broke off"

    def __init__(self, service: str) -> None:
        super().__init__(
            f"The service {service} broke off before it answered; {_ASK_AGAIN}", headers={"Retry-After": "1"}
        )


class UpstreamLate(Problem):
    """504: the service did not answer in time; a write may still be done, and its Idempotency-Key makes asking again safe."""

    status, slug, title = 504, "gateway-timeout", "No answer in time"

    def __init__(self, service: str, limit: float) -> None:
        super().__init__(f"The service {service} did not answer within {limit:g} s; {_ASK_AGAIN}")


_ASK_AGAIN = "a write may have been done: ask again with the same Idempotency-Key."
