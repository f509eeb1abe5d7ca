"""The files of the reference pages, which the package carries."""

from importlib.resources import files


def static(name: str) -> bytes:
    """Raises OSError when there is no such file."""
    return files("gateway").joinpath("static", name).read_bytes()
