"""A shell in which the commands of a page run one after another, as in a reader's terminal: what one sets, the next one finds."""

import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Self

import psutil

_END = "@@ended@@"
# A reader that closes a pipe early, as head does, is no failure (141 = SIGPIPE).
_BEGIN = "set -o pipefail -o errtrace; trap 'S=$?; [ $S = 141 ] || FAILED=$S' ERR"
# Whoever is started in the background ignores Ctrl-C, and so does everything that it starts; bash alone cannot undo that.
_HEED_CTRL_C = (
    "import os, signal, sys; signal.signal(signal.SIGINT, signal.SIG_DFL); os.execvp(sys.argv[1], sys.argv[1:])"
)


class Shell:
    """bash in a folder. Raises AssertionError, with what was printed, when a command does not end in time."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        # At the end of a pipe programs would keep what they print until they end: those in C without stdbuf, Python's without the variable.
        self._process = subprocess.Popen(
            [sys.executable, "-c", _HEED_CTRL_C, "stdbuf", "-oL", "bash", "--norc", "--noprofile"],
            cwd=folder,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self._send(_BEGIN)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._interrupt(signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def run(self, commands: str, *, seconds: float = 600.0, until: str | None = None) -> tuple[int, str]:
        """The status of the last command that failed, 0 when none did, and what was printed.

        With `until`, interrupted as Ctrl-C does as soon as that was printed; the status is 0 then.
        """
        self._send(f"FAILED=0\n{commands}\nprintf '\\n{_END} %d\\n' $FAILED")
        deadline = time.monotonic() + seconds
        printed = self._read(until or _END, b"", deadline)
        if until is not None:
            self._interrupt(signal.SIGINT)
            printed = self._read(_END, printed, deadline)
        said, _, status = printed.decode(errors="replace").rpartition(f"\n{_END} ")
        return 0 if until is not None else int(status), said

    def _send(self, line: str) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(line.encode() + b"\n")
        self._process.stdin.flush()

    def _read(self, awaited: str, printed: bytes, deadline: float) -> bytes:
        """Everything up to the line that holds `awaited`."""
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as ready:
            ready.register(self._process.stdout, selectors.EVENT_READ)
            while awaited.encode() not in printed or not printed.endswith(b"\n"):
                left = deadline - time.monotonic()
                if left <= 0 or not ready.select(left):
                    raise AssertionError(
                        f"{awaited!r} was not printed in time, but:\n{printed.decode(errors='replace')}"
                    )
                more = os.read(self._process.stdout.fileno(), 65536)
                if not more:
                    raise AssertionError(f"the shell ended after:\n{printed.decode(errors='replace')}")
                printed += more
        return printed

    def _interrupt(self, kind: signal.Signals) -> None:
        """The commands that run, not the shell."""
        try:
            running = psutil.Process(self._process.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            return
        for process in running:
            try:
                process.send_signal(kind)
            except psutil.NoSuchProcess:
                continue
