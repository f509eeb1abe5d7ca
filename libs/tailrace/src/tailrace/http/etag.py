"""The version of an aggregate is its ETag; `If-Match` makes a write conditional on it (RFC 9110, 13.1.1).

What a read shows may hold more than the aggregate, so there a digest of the body stands behind the version: `"3-5f2c81d09a7b"`. `If-Match` looks
at the version alone, `If-None-Match` of a read at all of it: an answer of 304 is never for something that looks otherwise by now.
"""

import re
from collections.abc import Iterable
from hashlib import blake2b
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from tailrace.core.errors import BadRequest, Problem

_STRONG = re.compile(r'"([0-9]{1,18})(?:-[0-9a-f]{12})?"')
_OPAQUE = r'"[\x21\x23-\x7e\x80-\xff]*"'
_TAG = re.compile(f"(?:W/)?({_OPAQUE})")
_ENTITY = re.compile(f"(?:W/)?{_OPAQUE}")
_LIST = re.compile(rf"[ \t,]*{_ENTITY.pattern}(?:[ \t]*,[ \t,]*{_ENTITY.pattern})*[ \t,]*")
_DECLARED = r'^(\*|(W/)?"[!#-~]*"([ \t]*,[ \t]*(W/)?"[!#-~]*")*)$'
_KEPT = ("etag", "cache-control", "vary")


class AnyVersion(int):
    """One of several versions, whichever is the current one: as a number it equals each of them. Of none, nothing matches."""

    _versions: frozenset[int]

    def __new__(cls, versions: Iterable[int]) -> "AnyVersion":
        known = frozenset(versions)
        made = super().__new__(cls, max(known, default=-1))
        made._versions = known
        return made

    def __eq__(self, other: object) -> bool:
        return other in self._versions

    def __ne__(self, other: object) -> bool:
        return other not in self._versions

    __hash__ = int.__hash__

    def __str__(self) -> str:
        return " or ".join(str(each) for each in sorted(self._versions)) or "none"


class AlreadyThere(Problem):
    """412: `If-None-Match: *` asks that there be nothing here, and there is (RFC 9110, 13.1.2)."""

    status, slug, title = 412, "already-there", "There is one already"


def etag(version: int) -> str:
    """Of an answer to a write."""
    return f'"{version}"'


def etag_of_read(version: int, body: bytes) -> str:
    """Of an answer to a read: another one for every other body."""
    return f'"{version}-{blake2b(body, digest_size=6).hexdigest()}"'


def tag_file(response: Response) -> None:
    """Give a file the tag of its bytes: who has it as it is by now is not sent it again."""
    response.headers["ETag"] = f'"{blake2b(bytes(response.body), digest_size=12).hexdigest()}"'
    response.headers.setdefault("Cache-Control", "private, no-cache")


def is_seen(request: Request, tag: str) -> bool:
    """Whether `If-None-Match` names it."""
    seen = _said(request, "if-none-match")
    if seen is None or seen == "*":
        return seen is not None
    return tag.removeprefix("W/") in _TAG.findall(seen)


def not_modified(request: Request, response: Response) -> Response | None:
    """The 304 that stands for `response`, when the client has it already (RFC 9110, 13.1.2), else None."""
    tag = response.headers.get("etag")
    if tag is None or response.status_code != 200 or not is_seen(request, tag):
        return None
    return Response(
        status_code=304, headers={name: response.headers[name] for name in _KEPT if name in response.headers}
    )


def wants_nothing_there(request: Request) -> bool:
    """Whether a write is to be done only where there is nothing yet. Raises BadRequest for an `If-None-Match` that names tags: use `If-Match`."""
    seen = _said(request, "if-none-match")
    if seen is not None and seen != "*":
        raise BadRequest(
            "With a write, If-None-Match is *; name the ETag last seen in If-Match.", field="If-None-Match"
        )
    return seen is not None


def _said(request: Request, name: str) -> str | None:
    """A header's value; several lines of it are one list (RFC 9110, 5.3)."""
    lines = request.headers.getlist(name)
    return ", ".join(lines).strip() if lines else None


async def _if_match(
    request: Request,
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description='The ETag last seen, as in `"3"`, or several; 412 when none of them is the current one. A weak one never is.',
            json_schema_extra={"pattern": _DECLARED, "examples": ['"3"']},
        ),
    ] = None,
) -> int | None:
    said = _said(request, "if-match")
    if said is None or said == "*":
        return None
    if not _LIST.fullmatch(said):
        detail = 'Send the ETag as it was received, as in "3", or several with commas between them.'
        raise BadRequest(detail, field="If-Match")
    versions = {int(found[1]) for tag in _ENTITY.findall(said) if (found := _STRONG.fullmatch(tag))}
    return versions.pop() if len(versions) == 1 else AnyVersion(versions)


IfMatch = Annotated[int | None, Depends(_if_match)]
"""The version that the client last saw, or None when it did not say; one of several where it named several."""
