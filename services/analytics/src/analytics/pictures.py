"""Charts as answers: an SVG, or a PNG for what shows no SVG, as mail and slides; a browser saves either and does not show it."""

from functools import partial

from fastapi import Response

from tailrace.documents.typesetting import draw
from tailrace.http.files.disposition import disposition
from tailrace.http.files.paper import Pixels


class Picture(Response):
    """An SVG."""

    media_type = "image/svg+xml"


def picture(name: str, svg: str) -> Picture:
    return Picture(svg, headers={"Content-Disposition": disposition(f"{name}.svg")})


def pixels(name: str, svg: str) -> Pixels:
    """Two of them for each of the SVG's, both ways. Making it raises Unavailable when too many are being made."""
    return Pixels.later(name, partial(draw, svg))
