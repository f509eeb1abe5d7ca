"""Why something is refused: each class is one kind of problem (RFC 9457), with a status, a slug, a title and the fields at fault."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from pydantic import BaseModel, ConfigDict


class FieldProblem(BaseModel):
    """One thing wrong with one field; `field` is a JSON pointer (RFC 6901), a header's or a parameter's name."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    field: str
    """A JSON pointer into the body (RFC 6901), or the name of a header or parameter."""
    detail: str
    """What is wrong with it, for people to read."""


class Problem(Exception):
    """A request that is refused, and why. Subclasses fix `status`, `slug` (the last part of the type URN) and `title`."""

    status = 500
    slug = "internal"
    title = "Something went wrong"

    def __init__(
        self,
        detail: str = "",
        *,
        field: str | Sequence[str] = (),
        errors: Sequence[FieldProblem] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """`field` names the one field at fault, or several that `detail` is said of; `errors` says something else of each."""
        super().__init__(detail or self.title)
        fields = [field] if isinstance(field, str) else field
        self.detail = detail
        self.errors = [*(FieldProblem(field=name, detail=detail) for name in fields), *errors]
        self.headers = dict(headers or {})


class Invalid(Problem):
    """422: the request is well-formed and cannot be accepted as it is. Names the fields."""

    status, slug, title = 422, "invalid", "The request is not valid"

    @classmethod
    def field(cls, field: str, detail: str) -> "Invalid":
        return cls(detail, field=field)


class Refused(Problem):
    """409: against the state things are in. Services subclass it with a slug and title of their own."""

    status, slug, title = 409, "refused", "Not possible in this state"


class NotYetKnown(Refused):
    """409: this names something that has not arrived here. It may have been created a moment ago: try again shortly."""

    slug, title = "not-yet-known", "Not known here yet"

    def __init__(self, field: str, detail: str) -> None:
        super().__init__(detail, field=field, headers={"Retry-After": "1"})


class Taken(Refused):
    """409: another one has this value, and only one may."""

    slug, title = "taken", "In use already"


class CodeTaken(Taken):
    """409: a live one has this code."""

    slug, title = "code-taken", "This code is in use"


class InUse(Refused):
    """409: something live refers to it."""

    slug, title = "in-use", "Still in use"


class NotDeleted(Refused):
    """409: only what was deleted can be restored."""

    slug, title = "not-deleted", "Not deleted"


class RefersToDeleted(Refused):
    """409: it cannot come back while something that it refers to is deleted. Names the field that refers to it."""

    slug, title = "refers-to-deleted", "Refers to something deleted"


class Fixed(Refused):
    """409: others build on this field, so it stays what it is."""

    slug, title = "fixed", "This field does not change"


class Unknown(Problem):
    """404: no such thing, or another tenant's, which is the same."""

    status, slug, title = 404, "unknown", "No such thing"

    def __init__(self, kind: str, id: UUID | str) -> None:
        super().__init__(f"There is no {kind} {id}.")


class Stale(Problem):
    """412: `If-Match` names a version that is no longer current (RFC 9110, 13.1.1), or stopped being so during the request."""

    status, slug, title = 412, "stale", "Changed meanwhile"

    def __init__(self, expected: int | None = None, actual: int | None = None) -> None:
        """Without versions: somebody else committed between the check of `If-Match` and the commit of this request."""
        super().__init__(
            "It was changed while this request was under way."
            if actual is None
            else f"If-Match asked for version {expected}; the current one is {actual}."
        )


class Unauthenticated(Problem):
    """401: no token, or no other log-in that is asked for, or none that counts."""

    status, slug, title = 401, "unauthenticated", "Not logged in"

    def __init__(self, detail: str, *, challenge: str = "Bearer") -> None:
        """`challenge` says how to log in (RFC 9110, 11.6.1)."""
        super().__init__(detail, headers={"WWW-Authenticate": challenge})


class Forbidden(Problem):
    """403: logged in, and not allowed."""

    status, slug, title = 403, "forbidden", "Not allowed"


class TooLarge(Problem):
    """413: the body is larger than this path takes."""

    status, slug, title = 413, "too-large", "The body is too large"

    def __init__(self, limit: int) -> None:
        # What else is on its way is not waited for.
        super().__init__(f"At most {limit} bytes.", headers={"Connection": "close"})


class MediaTypeRefused(Problem):
    """415: the body is in a format or coding that this path does not take; `Accept` or `Accept-Encoding` says which it does (RFC 9110, 15.5.16)."""

    status, slug, title = 415, "unsupported-media-type", "Not in this format"

    def __init__(self, detail: str, *, field: str = "Content-Type", accept: str | None = None) -> None:
        """`accept` is the media type that is taken; None when the coding is at fault, and none is taken: then `Accept-Encoding` is empty."""
        takes = {"Accept-Encoding": ""} if accept is None else {"Accept": accept}
        super().__init__(detail, field=field, headers=takes)


class BadRequest(Problem):
    """400: a header or parameter is missing or malformed."""

    status, slug, title = 400, "bad-request", "Malformed request"


class RequestTimeout(Problem):
    """408: the head or the body of a request stopped arriving."""

    status, slug, title = 408, "request-timeout", "The request did not arrive in time"

    def __init__(self, detail: str) -> None:
        super().__init__(detail, headers={"Connection": "close"})


class MethodUnknown(Problem):
    """501: no path has this method. Methods are case-sensitive (RFC 9110, 9.1)."""

    status, slug, title = 501, "not-implemented", "No such method"


class VersionRefused(Problem):
    """505: another major version of HTTP than 1."""

    status, slug, title = 505, "http-version-not-supported", "Not this version of HTTP"


class Unavailable(Problem):
    """503: something this service stands on does not answer at the moment."""

    status, slug, title = 503, "unavailable", "Not available at the moment"

    def __init__(self, detail: str = "", *, retry_after: int = 1) -> None:
        """`retry_after` in seconds."""
        super().__init__(detail, headers={"Retry-After": str(retry_after)})
