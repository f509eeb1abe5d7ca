"""A process writes its own log file, bounded: a full one makes room for a new one, and no line is lost or cut.

Standard output and error are the file, so that what is not logged (a traceback of the interpreter, a library's print) is in it too. The process
itself turns it over, between two lines; one earlier file is kept beside it, as `<name>.old.log`.
"""

import os
from contextlib import suppress
from pathlib import Path

LIMIT = 20 * 1024 * 1024
"""Bytes of a file that is full."""

_own: tuple[Path, int] | None = None


def write_to(path: Path, *, limit: int = LIMIT) -> None:
    """Make `path` the standard output and error of this process, from here on."""
    global _own
    path.parent.mkdir(parents=True, exist_ok=True)
    _own = (path, limit)
    _open(path)


def turn_over() -> None:
    """Begin a new file when the own one is full. Does nothing in a process that `write_to` was not called in."""
    if _own is None:
        return
    path, limit = _own
    if os.fstat(1).st_size >= limit:
        with suppress(FileNotFoundError):  # moved already, and there was no room for a new one
            path.replace(path.with_suffix(".old.log"))
        _open(path)


def _open(path: Path) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(handle, 1)
    os.dup2(handle, 2)
    os.close(handle)
