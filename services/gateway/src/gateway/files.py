"""Generated data: from the file that the settings name, else the copy that was packaged with the gateway."""

from functools import cache
from importlib.resources import files
from pathlib import Path


def load(given: Path | None, packaged: str) -> bytes:
    """Raises OSError when there is no such file."""
    if given is not None:
        return given.read_bytes()
    return files("gateway").joinpath("data", packaged).read_bytes()


@cache
def static(name: str) -> bytes:
    """A file of the pages, read once."""
    return files("gateway").joinpath("static", name).read_bytes()
