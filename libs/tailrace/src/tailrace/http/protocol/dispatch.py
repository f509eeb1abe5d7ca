"""The route of a request, found by the words of its path, and called without what FastAPI puts around each route for those that need it.

FastAPI tries the routes one after another, twice, and goes through five layers to the one that it found. Here those alone are tried that have as
many words, the same resource, and the method; in the order of the service, by their own `matches`, so that the one that is found is FastAPI's. It is
called here when it answers by itself (`StrictRoute.direct`). Whatever else there is, FastAPI answers: other routes, other methods, no route at all.
"""

from collections.abc import Iterable, Sequence

from fastapi import Request
from starlette.routing import BaseRoute, Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from tailrace.http.protocol.problem_details import answer, problem_from
from tailrace.http.protocol.strict import StrictRoute

__all__ = ["Dispatch", "Index"]

_Key = tuple[str, int, str | None]
_RESOURCE = 2
"""The place of the word in a path that says what it is about: `/v1/orders/…`."""


class Dispatch:
    """ASGI middleware, the innermost of a service: what comes after it is FastAPI's."""

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._index = Index(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._index.find(scope) if scope["type"] == "http" else None
        if route is None or route.direct is None:
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive, send)
        try:
            response = await route.handler(request)
        except Exception as error:
            response = answer(problem_from(error), request)
        await response(scope, receive, send)


class Index:
    """Routes by how many words their paths have, their resource and their methods."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._routes = tuple(routes)
        plain = [route for route in self._routes if isinstance(route, Route)]
        words = [route.path.split("/") for route in plain]
        self._lengths = {len(each) for each in words}
        self._resources = {each[_RESOURCE] for each in words if len(each) > _RESOURCE}
        self._methods = {method for route in plain for method in route.methods or ()}
        self._possible: dict[_Key, Sequence[BaseRoute]] = {}

    def find(self, scope: Scope) -> StrictRoute | None:
        """The route that answers, its parameters and itself in the scope; None when that is not this one's to say."""
        if scope.get("root_path"):
            return None
        for route in self._possible_of(scope["method"], scope["path"].split("/")):
            match, found = route.matches(scope)
            if match is Match.FULL:
                if not isinstance(route, StrictRoute):
                    return None
                scope.update(found)
                return route
        return None

    def _possible_of(self, method: str, words: Sequence[str]) -> Sequence[BaseRoute]:
        """Kept for what routes name, so that no more is kept than there are routes, whatever is asked for."""
        many = len(words)
        resource = words[_RESOURCE] if many > _RESOURCE and words[_RESOURCE] in self._resources else None
        key = (method, many, resource)
        known = self._possible.get(key)
        if known is None:
            if method not in self._methods or many not in self._lengths:
                return ()
            known = tuple(route for route in self._routes if _may_answer(route, *key))
            self._possible[key] = known
        return known


def _may_answer(route: BaseRoute, method: str, many: int, resource: str | None) -> bool:
    """Whether a path of so many words about this resource, None for one that no route names, may be the route's."""
    if not isinstance(route, Route) or route.methods is None:
        return True
    if method not in route.methods:
        return False
    words = route.path.split("/")
    if any("{" in word and ":" in word for word in words):
        return True  # A parameter that says what it takes may take several words.
    said = words[_RESOURCE] if len(words) > _RESOURCE else None
    return len(words) == many and (said is None or said == resource or "{" in said)
