"""JSON read without loss: a number keeps every digit that it was sent with, and a name that an object has twice stands for nothing.

What JSON has no word for, as NaN, and what is longer than any number of ours become values that every field refuses, each under its own name.
"""

import json
from decimal import Decimal, InvalidOperation
from typing import Any

from fastapi import Request
from starlette.types import Message

from tailrace.core.errors import BadRequest
from tailrace.core.values.wire import REPEATED

_LONGEST_WHOLE, _LONGEST = 40, 400
_INFINITE = Decimal("Infinity")
WHOLE_BODY = ""
"""The JSON pointer to all of it (RFC 6901, section 5)."""
DECODED = "tailrace.decoded"
"""In the scope of a request: what its body was decoded to before, or the part of it that is worked on."""


class ExactRequest(Request):
    """A request whose body was read already, and its JSON with it."""

    def __init__(self, request: Request, body: bytes) -> None:
        async def again() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        super().__init__(request.scope, again)
        self._decoded = None
        if is_json(request):
            self._decoded = request.scope[DECODED] if DECODED in request.scope else decoded(body)

    async def json(self) -> Any:
        return self._decoded


def is_json(request: Request) -> bool:
    """Whether the body is said to be JSON (RFC 6839, section 3.1, for `+json`)."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def decoded(body: bytes) -> Any:
    """The value of a JSON text (RFC 8259), non-integers as Decimal. Raises BadRequest for what is none."""
    try:
        return read(body.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise BadRequest(f"The body is not UTF-8, from byte {error.start} on.", field=WHOLE_BODY) from error
    except json.JSONDecodeError as error:
        raise BadRequest(f"The body is not JSON: {error.msg} at character {error.pos}.", field=WHOLE_BODY) from error
    except RecursionError as error:
        raise BadRequest("The body is nested too deeply.", field=WHOLE_BODY) from error


def read(text: str) -> Any:
    """The value of a JSON text, non-integers as Decimal. Raises JSONDecodeError, or RecursionError for what is nested too deeply."""
    return json.loads(text, parse_float=_decimal, parse_int=_whole, parse_constant=Decimal, object_pairs_hook=_object)


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text) if len(text) <= _LONGEST else _INFINITE
    except InvalidOperation:  # an exponent beyond any
        return _INFINITE


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) <= _LONGEST_WHOLE else _INFINITE


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                made[name] = REPEATED
            seen.add(name)
    return made
