"""A query parameter that an operation does not declare is refused, with those that it does: a mistyped filter must not show everything.

A body in another format than JSON is refused as that, before anything is looked for in it.
"""

from collections.abc import Callable, Coroutine
from functools import cached_property
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from tailrace.core.errors import BadRequest, FieldProblem, MediaTypeRefused

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class UnknownParameter(BadRequest):
    """400: the operation has no such query parameter; `detail` lists those that it has."""

    slug, title = "unknown-parameter", "No such query parameter"


class StrictRoute(APIRoute):
    """A route that takes the query parameters it declares, and no other, and a body of JSON."""

    @cached_property
    def parameters(self) -> frozenset[str]:
        """The names of the query parameters, those of its dependencies included."""
        flat = get_flat_params(self.dependant)
        return frozenset(field.alias for field in flat if isinstance(field.field_info, Query))

    def get_route_handler(self) -> Endpoint:
        endpoint = super().get_route_handler()

        async def strict(request: Request) -> Response:
            if request.scope["query_string"]:
                refuse_unknown(request.query_params.keys(), self.parameters)
            if self.body_field is not None:
                refuse_other_formats(request)
            return await endpoint(request)

        return strict


def public_router(*, tag: str) -> APIRouter:
    """A router for what needs no token: no tenant, no transaction, and the same strictness."""
    return APIRouter(tags=[tag], route_class=StrictRoute, redirect_slashes=False)


def refuse_other_formats(request: Request, takes: str = "application/json") -> None:
    """Raises MediaTypeRefused for a body that is not said to be `takes`, or of that kind (`application/…+json`), or is coded."""
    headers = request.headers
    if "content-encoding" in headers:
        raise MediaTypeRefused("Send the body without a Content-Encoding.", field="Content-Encoding")
    if "transfer-encoding" not in headers and headers.get("content-length", "0") == "0":
        return
    said = headers.get("content-type", "").partition(";")[0].strip().lower()
    kind, _, subtype = takes.partition("/")
    if said != takes and not (said.startswith(f"{kind}/") and said.endswith(f"+{subtype}")):
        raise MediaTypeRefused(f"Send the body as {takes}, and say so.", accept=takes)


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
