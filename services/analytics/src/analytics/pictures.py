"""Charts as answers: an SVG, or a PNG for what shows no SVG, as mail and slides; a browser saves either and does not show it."""

from typing import Self

from fastapi import Response

from tailrace.documents.typesetting import draw
from tailrace.storage.names import disposition


class Picture(Response):
    """An SVG."""

    media_type = "image/svg+xml"

    @classmethod
    def named(cls, name: str, svg: str) -> Self:
        return cls(svg, headers={"Content-Disposition": disposition(f"{name}.svg")})


class Pixels(Response):
    """A PNG, with two pixels for each of the SVG's, both ways."""

    media_type = "image/png"

    @classmethod
    async def named(cls, name: str, svg: str) -> Self:
        """Raises Unavailable when too many are being made already."""
        return cls(await draw(svg), headers={"Content-Disposition": disposition(f"{name}.png")})
