"""What is typeset as the answer of a route, a document or a picture under a name: made once the route has read what stands in it.

The typesetter is everybody's and takes one at a time, and a transaction holds one of few connections. So it is made when the transaction is over, and
little of one caller's at once.
"""

from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from typing import Any, ClassVar, Self

from fastapi import Response
from fastapi.responses import JSONResponse, StreamingResponse

from tailrace.core.errors import Unavailable
from tailrace.http.files.disposition import disposition

__all__ = ["Paper", "Pixels", "Typeset", "is_file"]

_OF_ONE = 8
_under_way: Counter[Hashable] = Counter()


class Typeset(Response):
    """A file that a browser saves and does not show; a kind of it is for `response_class`, so that the reference says what comes."""

    ending: ClassVar[str]
    _make: Callable[[], Awaitable[bytes]] | None = None

    @classmethod
    def later(cls, name: str, make: Callable[[], Awaitable[bytes]]) -> Self:
        """What `make` will answer. `name` is without its ending, in any script, as companies write the numbers of their documents. `TenantRoute`
        has it made; others await `made`."""
        answer = cls(headers={"Content-Disposition": disposition(f"{name}.{cls.ending}")})
        answer._make = make
        return answer

    async def made(self, whose: Hashable) -> Self:
        """With its content. Raises Unavailable when as many of one's own as may are being made, and whatever making it does."""
        if self._make is None:
            return self
        if _under_way[whose] >= _OF_ONE:
            raise Unavailable("Other documents of yours are being made; ask again shortly.")
        _under_way[whose] += 1
        try:
            self.body = await self._make()
        finally:
            _under_way[whose] -= 1
            if not _under_way[whose]:
                del _under_way[whose]
        self._make = None
        self.headers["Content-Length"] = str(len(self.body))
        return self


class Paper(Typeset):
    """A PDF."""

    media_type, ending = "application/pdf", "pdf"


class Pixels(Typeset):
    """A PNG."""

    media_type, ending = "image/png", "png"


def is_file(response_class: Any) -> bool:
    """Whether a route that names this as its `response_class` answers a file, all of it at once: a document, a picture, a table."""
    if not isinstance(response_class, type) or not issubclass(response_class, Response):
        return False
    return response_class.media_type is not None and not issubclass(response_class, JSONResponse | StreamingResponse)
