"""A template and its files become PDF/A, or a picture, in a process of its own, within bounds of time, memory and pages, or are refused; nothing else
can happen.

Templates are data that a tenant may have written, so they are taken as hostile: see `worker`. A process is started when the first document is asked
for, serves many, and is replaced when a document ends it, and after so many anyhow.
"""

import json
import os
import struct
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import IO

from pydantic import BaseModel

_WORKER = Path(__file__).with_name("worker.py")
_FONTS = ("noto_cjk_sans_jp_regular", "noto_cjk_sans_jp_bold", "manimgx_fonts")


class Bounds(BaseModel):
    """What one document may take."""

    model_config = {"frozen": True}

    cpu: int = 5
    """Seconds of processor time."""
    seconds: float = 30
    """By the clock, for a machine that is busy with other things."""
    memory: int = 256 * 2**20
    """Bytes of data that the process may hold, fonts included. A quote of 1000 lines needs less."""
    pages: int = 300
    pdf: int = 20 * 2**20
    """Bytes of the document."""
    job: int = 8 * 2**20
    """Bytes of template and data together."""
    documents: int = 500
    """How many documents a process makes before it is replaced."""


class Failed(Exception):
    """The typesetter's own words, and where in the template."""

    def __init__(self, message: str, where: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.where = where


class _Stopped(Failed):
    """The process ended."""


class Typesetter:
    """One process that typesets. May be called from any thread; documents wait for one another."""

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.bounds = bounds or Bounds()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None

    def typeset(self, files: Mapping[str, str], timestamp: int) -> bytes:
        """The PDF/A of `main.typ` among `files`; `timestamp`, in seconds since 1970, is when it says it was made. Blocks. Raises Failed."""
        return self._made(files, timestamp, None)

    def draw(self, files: Mapping[str, str], ppi: float) -> bytes:
        """The first page of `main.typ` among `files` as a PNG, with so many pixels to an inch. Blocks. Raises Failed."""
        return self._made(files, 0, ppi)

    def _made(self, files: Mapping[str, str], timestamp: int, ppi: float | None) -> bytes:
        job = json.dumps({"files": files, "timestamp": timestamp, "cpu": self.bounds.cpu, "ppi": ppi}).encode()
        if len(job) > self.bounds.job:
            raise Failed(f"template and data are more than {self.bounds.job} bytes")
        with self._lock:
            used = self._process is not None
            try:
                kind, answer = self._ask(job)
            except _Stopped:
                if not used:
                    raise
                # What earlier documents left behind is not this one's fault.
                kind, answer = self._ask(job)
        if kind == b"E":
            raise Failed(**json.loads(answer))
        return answer

    def close(self) -> None:
        """End the process."""
        with self._lock:
            self._end()

    @property
    def pid(self) -> int | None:
        """Of the process, when there is one."""
        return self._process.pid if self._process else None

    def _ask(self, job: bytes) -> tuple[bytes, bytes]:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        alarm = threading.Timer(self.bounds.seconds, process.kill)
        alarm.start()
        try:
            process.stdin.write(struct.pack(">I", len(job)) + job)
            process.stdin.flush()
            kind = _exactly(process.stdout, 1)
            (length,) = struct.unpack(">I", _exactly(process.stdout, 4))
            if length > self.bounds.pdf:
                raise Failed(f"the document would have {length} bytes, more than {self.bounds.pdf}")
            answer = _exactly(process.stdout, length)
            if _exactly(process.stdout, 1) == b".":
                self._end()
        except (OSError, EOFError):
            self._end()
            raise _Stopped("it took more time or memory than a document may") from None
        except BaseException:
            self._end()
            raise
        finally:
            alarm.cancel()
        return kind, answer

    def _running(self) -> "subprocess.Popen[bytes]":
        if self._process is not None and self._process.poll() is None:
            return self._process
        self._end()
        bounds = [str(self.bounds.memory), str(self.bounds.pages), str(self.bounds.documents)]
        # Arenas of malloc for each thread would count as memory that nobody uses.
        environment = {"MALLOC_ARENA_MAX": "2", "PATH": os.defpath, "RAYON_NUM_THREADS": "2"}
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(_WORKER), *bounds, *map(str, font_folders())],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=tempfile.gettempdir(),
            env=environment,
        )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        process.communicate()


def font_folders() -> list[Path]:
    """Where the fonts are that every document is set in, and no others."""
    folders = []
    for name in ("typst", *_FONTS):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            raise RuntimeError(f"{name} is not installed: a service that typesets depends on tailrace[documents]")
        folders.append(Path(spec.origin).parent)
    return folders[1:]


def _exactly(stream: IO[bytes], count: int) -> bytes:
    read = stream.read(count)
    if len(read) < count:
        raise EOFError
    return read
