"""A query parameter that an operation does not declare is refused, with those that it does: a mistyped filter must not show everything."""

from collections.abc import Callable, Coroutine
from functools import cached_property
from http import HTTPStatus
from typing import Any, ClassVar

from fastapi import APIRouter, Request, Response
from fastapi.dependencies.utils import get_flat_params
from fastapi.params import Query
from fastapi.routing import APIRoute

from tailrace.core.errors import BadRequest, FieldProblem

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]


class UnknownParameter(BadRequest):
    """400: the operation has no such query parameter; `detail` lists those that it has."""

    slug, title = "unknown-parameter", "No such query parameter"


class StrictRoute(APIRoute):
    """A route that takes the query parameters it declares, and no other."""

    about: ClassVar[str] = ""
    """What its tag is, for the reference."""

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
