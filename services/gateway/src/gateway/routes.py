"""Every prefix of the route table as a route of the app: so what observes the app, metrics and spans, calls a request by its prefix."""

from http import HTTPStatus
from typing import NoReturn

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.table import Table

_READS = frozenset({"GET", "HEAD"})


class Forwarded(BaseRoute):
    """Takes what lies under a prefix to the gateway, which reads the path once more, strictly."""

    def __init__(self, prefix: str, gateway: ASGIApp) -> None:
        self.path = prefix
        self._below = f"{prefix}/"
        self._gateway = gateway

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path: str = scope["path"]
        if scope["type"] == "http" and (path == self.path or path.startswith(self._below)):
            return Match.FULL, {"endpoint": self._gateway, "route": self}
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._gateway(scope, receive, send)

    def url_path_for(self, name: str, /, **path_params: object) -> NoReturn:
        raise NoMatchFound(name, path_params)


class Read(Forwarded):
    """What lies under a prefix and is only read."""

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (Match.PARTIAL, child) if match is Match.FULL and scope["method"] not in _READS else (match, child)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in _READS:
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED)
        await super().handle(scope, receive, send)


def forwarded(table: Table, gateway: ASGIApp) -> list[BaseRoute]:
    """The longest prefix first, as the table has it."""
    prefixes = sorted((route.prefix for route in table.routes), key=len, reverse=True)
    return [Forwarded(prefix, gateway) for prefix in prefixes]
