"""What comes in is what the operation declares: a query parameter that it has, once unless it is a list, each value written in the one way of its
type, JSON to the digit.

An unknown parameter is refused with those that there are: a mistyped filter must not show everything. A body in another format than JSON is refused
as that, before anything is looked for in it; so is one that says something to a write that takes none, since nobody would heed it.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from http import HTTPStatus
from types import NoneType
from typing import Annotated, Any, ClassVar, Literal, get_args, get_origin
from urllib.parse import unquote_plus

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Path, Query
from fastapi.routing import APIRoute
from pydantic import AwareDatetime

from tailrace.core.errors import BadRequest, FieldProblem, Invalid, MediaTypeRefused
from tailrace.core.values.wire import SHAPES, Shape
from tailrace.http.protocol.endpoints import Endpoint, endpoint_of
from tailrace.http.protocol.exact_json import WHOLE_BODY, ExactRequest

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
"""Methods that change nothing (RFC 9110, section 9.2.1)."""
_LISTS = frozenset({list, set, frozenset, tuple, Sequence})


class UnknownParameter(BadRequest):
    """400: the operation has no such query parameter; `detail` lists those that it has."""

    slug, title = "unknown-parameter", "No such query parameter"


class StrictRoute(APIRoute):
    """A route that takes the query parameters it declares and no other, values as `SHAPES` writes them, and a body of JSON."""

    about: ClassVar[str] = ""
    """What its tag is, for the reference."""

    body_limit: ClassVar[int | None] = None
    """The largest body of it, in bytes, where that is not what the settings say."""

    shows: ClassVar[Sequence[str]] = ()
    """Headers of its good answers, besides those of every route."""

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the query parameters, those of its dependencies included."""
        flat = get_flat_params(self.dependant)
        return frozenset(field.alias for field in flat if isinstance(field.field_info, Query))

    @cached_property
    def lists(self) -> frozenset[str]:
        """The names of those that may be given several times."""
        flat = get_flat_params(self.dependant)
        return frozenset(f.alias for f in flat if isinstance(f.field_info, Query) and _is_list(f.field_info.annotation))

    @cached_property
    def shapes(self) -> Mapping[str, Sequence[Shape]]:
        """How the values of a parameter of the query or the path may be written; those of free text are not among them."""
        flat = get_flat_params(self.dependant)
        types = {f.alias: set(_types(f.field_info.annotation)) for f in flat if isinstance(f.field_info, Query | Path)}
        return {name: [SHAPES[kind] for kind in kinds] for name, kinds in types.items() if kinds <= SHAPES.keys()}

    @cached_property
    def takes_body(self) -> bool:
        """Whether it reads a body: one that FastAPI knows of, or one that it reads by itself and declares."""
        return self.body_field is not None or "requestBody" in (self.openapi_extra or {})

    @cached_property
    def direct(self) -> Endpoint | None:
        """What answers without FastAPI; None where that is FastAPI's to do."""
        return endpoint_of(self)

    @cached_property
    def handler(self) -> Endpoint:
        """All that is done for a request of this route; nothing else need be around it where it is `direct`."""
        return self.get_route_handler()

    def get_route_handler(self) -> Endpoint:
        endpoint = self.direct or super().get_route_handler()
        heedless = not self.takes_body and not (self.methods or set()) <= SAFE

        async def strict(request: Request) -> Response:
            if request.scope["query_string"]:
                _refuse_undecodable(request.scope["query_string"])
                refuse_unknown(request.query_params.keys(), self.parameters)
                _refuse_repeated([name for name, _ in request.query_params.multi_items()], self.lists)
            for name, value in request.path_params.items():
                _refuse_misshapen(name, value, self.shapes.get(name, ()))
            if request.scope["query_string"]:
                for name, value in request.query_params.multi_items():
                    _refuse_misshapen(name, value, self.shapes.get(name, ()))
            if self.body_field is not None:
                refuse_other_formats(request)
                if body := await request.body():
                    request = ExactRequest(request, body)
            elif heedless:
                await _refuse_body(request)
            response = await endpoint(request)
            if response.status_code == HTTPStatus.NO_CONTENT:
                del response.headers["content-type"]  # of nothing
            return response

        return strict


def public_router(*, tag: str, about: str = "") -> APIRouter:
    """A router for what needs no token: no tenant, no transaction, and the same strictness. `about` says in a sentence what the tag is."""
    said = about

    class Route(StrictRoute):
        about = said

    return APIRouter(tags=[tag], route_class=Route, redirect_slashes=False)


def declared(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """Refusals that a public operation has besides those that every operation has, for its `responses`."""
    return {status: {} for status in statuses}


def refuse_other_formats(request: Request, takes: str = "application/json") -> None:
    """Raises MediaTypeRefused for a body that is not said to be `takes`, or of that kind (`application/…+json`), or is coded."""
    headers = request.headers
    if "content-encoding" in headers:
        raise MediaTypeRefused("Send the body without a Content-Encoding.", field="Content-Encoding")
    if not _has_body(request):
        return
    said = headers.get("content-type", "").partition(";")[0].strip().lower()
    kind, _, subtype = takes.partition("/")
    if said != takes and not (said.startswith(f"{kind}/") and said.endswith(f"+{subtype}")):
        raise MediaTypeRefused(f"Send the body as {takes}, and say so.", accept=takes)


async def _refuse_body(request: Request) -> None:
    """Raises BadRequest for a body that is more than an empty object, which many clients send where there is nothing to say."""
    if _has_body(request) and (await request.body()).strip() not in {b"", b"{}"}:
        raise BadRequest("This takes no body. Send none, or {}.", field=WHOLE_BODY)


def _has_body(request: Request) -> bool:
    """Whether the head of the request says that a body follows (RFC 9112, section 6)."""
    return "transfer-encoding" in request.headers or request.headers.get("content-length", "0") != "0"


def refuse_unknown(given: Any, known: frozenset[str]) -> None:
    """Raises UnknownParameter, which names each that is not known and lists those that are."""
    unknown = sorted(set(given) - known)
    if unknown:
        takes = f"This takes {', '.join(sorted(known))}." if known else "This takes none."
        raise UnknownParameter(
            takes,
            errors=[
                FieldProblem(field=name[:60], detail=f"There is no such parameter. {takes}") for name in unknown[:20]
            ],
        )


def _refuse_repeated(given: Sequence[str], lists: frozenset[str]) -> None:
    """Raises BadRequest for a parameter that has one value and came twice: one reader would take the first, and another the last."""
    repeated = sorted(name for name, times in Counter(given).items() if times > 1 and name not in lists)
    if repeated:
        raise BadRequest("It may be given once.", field=repeated)


def _is_list(annotation: Any) -> bool:
    """Whether a parameter may have several values."""
    origin = get_origin(annotation)
    return origin in _LISTS or (origin is not Literal and any(map(_is_list, get_args(annotation))))


def _types(annotation: Any) -> Iterator[type]:
    """The types that a parameter's values may have: those inside of unions and lists."""
    inside = get_args(annotation)
    if get_origin(annotation) is Annotated:
        yield from _types(inside[0])
    elif inside and get_origin(annotation) is not Literal:
        for part in inside:
            yield from _types(part)
    elif annotation is not NoneType:
        yield datetime if annotation is AwareDatetime else annotation


def _refuse_misshapen(name: str, value: Any, shapes: Sequence[Shape]) -> None:
    """Raises Invalid for a control character, and for a value that has none of the shapes."""
    text = str(value)
    if not text.isprintable() and any(unicodedata.category(each) in {"Cc", "Cs"} for each in text):
        raise Invalid.field(name, "It holds a control character.")
    if shapes and not any(shape.pattern.fullmatch(text) for shape in shapes):
        raise Invalid.field(name, f"{'; or '.join(shape.detail for shape in shapes)}.".capitalize())


def _refuse_undecodable(query: bytes) -> None:
    """Raises BadRequest for a parameter that is not UTF-8 in percent-encoding (RFC 3986, section 2.5)."""
    for pair in query.split(b"&"):
        try:
            unquote_plus(pair.decode("ascii"), errors="strict")
        except UnicodeDecodeError as error:
            name = unquote_plus(pair.partition(b"=")[0].decode("ascii", "replace"))
            raise BadRequest("It is not UTF-8 in percent-encoding.", field=name[:60]) from error
