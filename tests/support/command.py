"""`tailrace` as a process of its own, beside the stack that the tests run on.

It is forked from one that has imported the commands and every service already, since importing them is most of what a command costs; the pages'
tests begin it as a reader does. Run as a program, this module is the one that forks.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any, NoReturn

from tailrace.stack.embedded import Stack


class Command:
    """One command from its beginning to its end; standard output and error go to one pipe."""

    def __init__(
        self, arguments: tuple[object, ...], environment: Mapping[str, str], folder: Path | None = None
    ) -> None:
        reading, writing = os.pipe()
        try:
            given = {"arguments": [str(each) for each in arguments], "environment": dict(environment)}
            self.pid = int(_forker().ask({**given, "folder": str(folder or Path.cwd())}, writing))
        finally:
            os.close(writing)
        self._said = os.fdopen(reading, "rb")

    async def ended(self) -> tuple[int, str]:
        """How it ended, negative for a signal, and all that it printed."""
        said = await asyncio.to_thread(self._said.read)
        self._said.close()
        code = await asyncio.to_thread(_forker().ask, {"ended": self.pid})
        return int(code), said.decode()

    async def line(self) -> str:
        """The next line that it prints; empty when it has ended."""
        return (await asyncio.to_thread(self._said.readline)).decode()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)


def beside(fleet: Stack) -> dict[str, str]:
    """The environment of a command that is to find this stack: where its data lies, and the address of whatever is elsewhere."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
    found, external = fleet.environment, fleet.plan.external
    elsewhere = {"TAILRACE_POSTGRES": external.postgres, "TAILRACE_KAFKA": external.kafka}
    elsewhere |= {"TAILRACE_CONNECT": external.connect, "TAILRACE_CAPTURE_HOST": found.get("TAILRACE_CAPTURE_HOST")}
    environment |= {name: value for name, value in elsewhere.items() if value is not None}
    return environment | {"TAILRACE_DATA": str(fleet.plan.layout.data)}


async def tailrace(fleet: Stack, *arguments: object, **environment: str) -> tuple[int, str]:
    """Run `tailrace …`: how it ended, and all that it printed."""
    return await Command(arguments, beside(fleet) | environment).ended()


class _Forker:
    """Ends when the tests' process does, since its end of the pair is closed then, and takes with it what still runs."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # What tests set while they run is no matter of other tests' commands.
        clean = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
        subprocess.Popen([sys.executable, __file__, str(theirs.fileno())], env=clean, pass_fds=[theirs.fileno()])
        theirs.close()
        self._pair, self._turn = ours, threading.Lock()

    def ask(self, what: Mapping[str, Any], *descriptors: int) -> Any:
        with self._turn:
            socket.send_fds(self._pair, [json.dumps(what).encode()], descriptors)
            answer = self._pair.recv(1000)
        assert answer, "the process that forks commands is gone; its error is above"
        return json.loads(answer)


@cache
def _forker() -> _Forker:
    return _Forker()


def _answer(pair: socket.socket) -> None:
    children = set[int]()
    while (received := socket.recv_fds(pair, 1_000_000, 1))[0]:
        asked, said = json.loads(received[0]), received[1]
        answer: int
        if "ended" in asked:
            # Its output has ended, so this waits no longer than a process takes to go.
            pid, status = os.waitpid(asked["ended"], 0)
            children.remove(pid)
            answer = os.waitstatus_to_exitcode(status)
        else:
            if (answer := os.fork()) == 0:
                pair.close()
                _become(asked, *said)
            children.add(answer)
            os.close(*said)
        pair.send(json.dumps(answer).encode())
    for pid in children:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _become(asked: Mapping[str, Any], said: int) -> NoReturn:
    """As `tailrace` is begun: with these words, this environment, in this folder, nothing to read, and printing to the pipe."""
    code: object = 1
    try:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(said, 1)
        os.dup2(said, 2)
        os.close(said)
        os.environ.clear()
        os.environ.update(asked["environment"])
        os.chdir(asked["folder"])
        sys.argv = ["tailrace", *asked["arguments"]]
        from tailrace.cli import app

        app(prog_name="tailrace")
    except SystemExit as end:
        code = end.code
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code if isinstance(code, int) else 0 if code is None else 1)


def _import_everything() -> None:
    import gc
    import pkgutil
    from importlib import import_module

    import tailrace.cli
    from tailrace.runtime.fleet import load_services

    for module in pkgutil.iter_modules(tailrace.cli.__path__):
        if module.name != "__main__":
            import_module(f"tailrace.cli.{module.name}")
    load_services()
    # What is there is shared with every child: looked at by the collector, its pages would be copied.
    gc.freeze()


if __name__ == "__main__":
    _import_everything()
    with socket.socket(fileno=int(sys.argv[1])) as pair:
        _answer(pair)
