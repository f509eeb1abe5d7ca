"""The lake's files where they lie in a bucket, as the engine reads them: by ranges, through the port of the object store.

A file of the lake never changes, so a range that was read once is good for ever; those that were read lately stay in memory, up to a bound. A file's
name bears its size, which the table knows: nothing is asked of the bucket but the bytes themselves.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fsspec import AbstractFileSystem

SCHEME = "lake"
_HELD = 256 * 1024 * 1024
"""Bytes that are kept in memory at most."""
_EVER = datetime(2026, 1, 1, tzinfo=UTC)
Read = Callable[[str, int, int], bytes]
"""The bytes of a key from a place up to and without another."""


def name_of(key: str, size: int) -> str:
    """What the engine calls an object of so many bytes."""
    return f"{SCHEME}://{size}/{key}"


class BucketFiles(AbstractFileSystem):  # type: ignore[misc]
    """What DuckDB takes for a file system. Its threads read side by side."""

    protocol = SCHEME
    cachable = False

    def __init__(self, read: Read, *, held: int = _HELD) -> None:
        super().__init__()
        self._read, self._most = read, held
        self._held: OrderedDict[tuple[str, int, int], bytes] = OrderedDict()
        self._bytes = 0
        self._lock = threading.Lock()

    def glob(self, path: str, **_: Any) -> list[str]:
        """A name means itself."""
        return [path]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        """Its size."""
        return {"name": path, "size": _parts(path)[0], "type": "file"}

    def modified(self, path: str) -> datetime:
        """Always the same: it never changes."""
        return _EVER

    def open(self, path: str, mode: str = "rb", **_: Any) -> "BucketFile":
        """To be read. Raises OSError for anything else."""
        if mode != "rb":
            raise OSError("files of the lake are only read here")
        size, key = _parts(path)
        return BucketFile(self, key, size)

    def bytes_of(self, key: str, start: int, end: int) -> bytes:
        """A range, from memory where it was read lately. Raises what the store does."""
        place = (key, start, end)
        with self._lock:
            if place in self._held:
                self._held.move_to_end(place)
                return self._held[place]
        found = self._read(key, start, end)
        with self._lock:
            if place not in self._held:
                self._held[place] = found
                self._bytes += len(found)
            while self._bytes > self._most:
                _, dropped = self._held.popitem(last=False)
                self._bytes -= len(dropped)
        return found


class BucketFile:
    """One that is open: where the next read begins."""

    closed = False

    def __init__(self, files: BucketFiles, key: str, size: int) -> None:
        self._files, self._key, self._size = files, key, size
        self._at = 0

    def seek(self, offset: int, whence: int = 0) -> int:
        """Raises OSError for a place that does not count from the beginning."""
        if whence != 0:
            raise OSError("a place counts from the beginning")
        self._at = offset
        return offset

    def tell(self) -> int:
        return self._at

    def seekable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        """What follows, up to so many bytes."""
        end = self._size if size < 0 else min(self._at + size, self._size)
        if end <= self._at:
            return b""
        found = self._files.bytes_of(self._key, self._at, end)
        self._at = end
        return found

    def close(self) -> None:
        """Nothing is held open."""


def _parts(path: str) -> tuple[int, str]:
    size, _, key = path.removeprefix(f"{SCHEME}://").partition("/")
    return int(size), key
