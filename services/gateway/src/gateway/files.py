"""The files of the reference pages, which the package carries."""

from functools import cache
from importlib.resources import files


@cache
def static(name: str) -> bytes:
    """A file of the pages, read once. Raises OSError when there is no such file."""
    return files("gateway").joinpath("static", name).read_bytes()
