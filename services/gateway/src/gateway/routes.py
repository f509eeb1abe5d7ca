"""Every prefix of the route table as a route of the app: so what observes the app, metrics and spans, calls a request by its prefix."""

from collections.abc import Collection
from http import HTTPStatus
from typing import NoReturn

from starlette.exceptions import HTTPException
from starlette.routing import BaseRoute, Match, NoMatchFound
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.table import Table


class Forwarded(BaseRoute):
    """Takes what lies under a prefix to the gateway, which reads the path once more, strictly. What answers there says which methods there are,
    unless they are said here."""

    def __init__(self, prefix: str, gateway: ASGIApp, methods: Collection[str] | None = None) -> None:
        self.path = prefix
        self._below = f"{prefix}/"
        self._gateway = gateway
        self._methods = methods

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        path: str = scope["path"]
        if scope["type"] == "http" and (path == self.path or path.startswith(self._below)):
            child = {"endpoint": self._gateway, "route": self}
            return (Match.FULL if self._takes(scope) else Match.PARTIAL), child
        return Match.NONE, {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._takes(scope):
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED)
        await self._gateway(scope, receive, send)

    def _takes(self, scope: Scope) -> bool:
        return self._methods is None or scope["method"] in self._methods

    def url_path_for(self, name: str, /, **path_params: object) -> NoReturn:
        raise NoMatchFound(name, path_params)


def forwarded(table: Table, gateway: ASGIApp) -> list[BaseRoute]:
    """The longest prefix first, as the table has it."""
    prefixes = sorted((route.prefix for route in table.routes), key=len, reverse=True)
    return [Forwarded(prefix, gateway) for prefix in prefixes]
