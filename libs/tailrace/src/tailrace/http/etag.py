"""The version of an aggregate is its ETag; `If-Match` makes a write conditional on it (RFC 9110, 13.1.1)."""

import re
from typing import Annotated

from fastapi import Depends, Header

from tailrace.core.errors import BadRequest

_STRONG = re.compile(r'"([0-9]{1,18})"')


def etag(version: int) -> str:
    return f'"{version}"'


async def _if_match(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description='The ETag last seen, as in `"3"`; 412 when it is stale.',
            json_schema_extra={"pattern": r'^(\*|"[0-9]{1,18}")$', "examples": ['"3"']},
        ),
    ] = None,
) -> int | None:
    if if_match is None or if_match.strip() == "*":
        return None
    found = _STRONG.fullmatch(if_match.strip())
    if found is None:
        detail = 'Send one strong ETag as it was received, as in "3".'
        raise BadRequest(detail, field="If-Match")
    return int(found[1])


IfMatch = Annotated[int | None, Depends(_if_match)]
"""The version that the client last saw, or None when it did not say."""
