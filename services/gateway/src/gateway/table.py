"""Which service a path belongs to: the longest prefix wins, counted in whole segments, so /v1/order is no prefix of /v1/orders."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from contracts.promised import manifests
from tailrace.core.manifest import Route, routes_of


class Table:
    """An immutable route table. A lookup costs one dictionary probe per segment of the longest prefix."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._by_segments = {tuple(route.prefix.split("/")[1:]): route for route in routes}
        self._deepest = max(map(len, self._by_segments), default=0)

    @property
    def routes(self) -> Sequence[Route]:
        return tuple(self._by_segments.values())

    def match(self, segments: Sequence[str]) -> Route | None:
        """The route of a decoded path, or None when no service has it."""
        for depth in range(min(len(segments), self._deepest), 0, -1):
            route = self._by_segments.get(tuple(segments[:depth]))
            if route is not None:
                return route
        return None


def load_table(folder: Path | None = None) -> Table:
    """The routes of all manifests. Raises ValueError when one is malformed, or two services claim one prefix."""
    return Table(routes_of(manifests(folder)))
