"""The route that the kit finds by itself is the one that FastAPI would have found, for every service; and the kit answers most of them itself."""

import re

from findings import say_all
from starlette.routing import BaseRoute, Match

from tailrace.http.protocol.dispatch import Index
from tailrace.http.protocol.strict import StrictRoute
from tailrace.http.routing import TenantRoute
from tailrace.service import Service

_WORDS = ("0193b1a0-0000-7000-8000-000000000000", "word", "search", "a%2Fb", "")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")


def _routes(service: Service) -> list[BaseRoute]:
    return [route for router in service.routers for route in router.routes]


def test_the_route_of_a_path_is_the_first_that_takes_it(service: Service) -> None:
    routes, found = _routes(service), []
    index = Index(routes)
    paths = {re.sub(r"{[^}]*}", word, str(getattr(route, "path", "/"))) for route in routes for word in _WORDS}
    for path in sorted({*paths, *(f"{path}/" for path in paths), *(f"{path}/more" for path in paths)}):
        for method in _METHODS:
            scope = {"type": "http", "path": path, "method": method, "root_path": ""}
            first = next((route for route in routes if route.matches(dict(scope))[0] is Match.FULL), None)
            if index.find(dict(scope)) is not (first if isinstance(first, StrictRoute) else None):
                found.append(f"{method} {path} is not found to be {first}")
    say_all(found)


def test_reads_of_json_are_answered_without_fastapi(service: Service) -> None:
    """But for those with a dependency that FastAPI alone calls, of which a service has one at most."""
    reads = [route for route in _routes(service) if isinstance(route, TenantRoute) and "GET" in (route.methods or ())]
    left = [route.path for route in reads if route.response_field is not None and route.direct is None]
    assert len(left) <= 1, left
