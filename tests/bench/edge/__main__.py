"""The gateway alone, beside proxies that others run, in turns on one machine: `python -m edge --rounds 5 --seconds 4 --json FILE --page FILE`.

Each side has one core to itself, and stands before the same upstream, which has the other core with the load. All sides run throughout; in each
round each has one turn with many connections, and one with a single one. Peers are installed by name into a folder (`--peers`). `--quick` asks the
gateway and its ASGI path a few hundred times, without peers and without wrk, and fails only on what does not work.
"""

import argparse
import asyncio
import contextlib
import json
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from measure.machine import machine

from edge.load import PATH, Figures, few, pinned, script, wrk
from edge.peers import PEERS, Place, upstream
from edge.report import BARE, DIRECT, OURS, result, write
from edge.tokens import Signer
from edge.upstream import BODY

_ASGI, _ASKED = "gateway, ASGI path", 300
_PORT = 28_000
_TOKENS = 500


def options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m edge", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=4, help="of a turn with many connections")
    parser.add_argument("--connections", type=int, default=32)
    parser.add_argument(
        "--peers",
        type=Path,
        default=Path(tempfile.gettempdir()) / "tailrace-peers",
        help="where they are, or are to be installed",
    )
    parser.add_argument("--only", nargs="*", help="these sides alone, by name")
    parser.add_argument("--port", type=int, default=_PORT, help="the first of those that are used")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--page", type=Path)
    return parser.parse_args(arguments)


@contextlib.contextmanager
def running(command: Sequence[str], core: int, port: int, **how: Any) -> Iterator[int]:
    """A process on a core of its own, from when it answers at its port. Its id."""
    process = subprocess.Popen(pinned(core, command), **how)
    try:
        _await(port, process)
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()


def _await(port: int, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"it ended with {process.returncode}")
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=2).close()
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"nothing answers at {port}")


class Stand:
    """All sides, each at a port: its name, the port, and the processes whose CPU is its own."""

    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        self.asked, self.folder = asked, folder
        self.signer = Signer.make()
        self.tokens = self.signer.tokens(_TOKENS)
        self.sides: dict[str, tuple[int, list[int]]] = {}
        self.settings: dict[str, dict[str, str]] = {}
        self.place = Place(
            asked.peers, self.signer.published(), self.signer.public_pem(), asked.port + 1, asked.port + 2
        )
        self.keys = folder / "keys.json"
        self.keys.write_text(json.dumps(self.signer.published()))

    def open(self, stack: ExitStack) -> None:
        place, quick = self.place, self.asked.quick
        if quick:
            behind = [sys.executable, "-m", "edge.upstream", str(place.upstream), str(self.keys)]
        else:
            place.install()
            behind = upstream(place, place.upstream, BODY.decode(), self.keys.read_text())
        stack.enter_context(running(behind, 1, place.upstream, env=None if quick else place.environment))
        self.sides[DIRECT] = place.upstream, []
        self._ours(stack, OURS)
        self._ours(stack, _ASGI, "--asgi")
        if not quick:
            self._ours(stack, f"{OURS}, logged", "--log", "INFO")
            self._ours(stack, f"{OURS}, logged and told", "--log", "INFO", "--told")
            self._bare(stack)
            self._peers(stack)
        only = self.asked.only
        self.sides = {name: side for name, side in self.sides.items() if only is None or name in (*only, DIRECT)}

    def _ours(self, stack: ExitStack, name: str, *more: str) -> None:
        port = self.asked.port + 10 + len(self.sides)
        address = f"http://127.0.0.1:{self.place.upstream}"
        command = [sys.executable, "-m", "edge.ours", str(port), address, f"{address}/.well-known/jwks.json", *more]
        pid = stack.enter_context(running(command, 0, port, stdout=subprocess.DEVNULL))
        self.sides[name] = port, [pid]

    def _bare(self, stack: ExitStack) -> None:
        port = self.asked.port + 10 + len(self.sides)
        command = [sys.executable, "-m", "edge.bare", str(port), str(self.place.upstream)]
        self.sides[BARE] = port, [stack.enter_context(running(command, 0, port))]

    def _peers(self, stack: ExitStack) -> None:
        helper = [sys.executable, "-m", "edge.helper", str(self.place.helper), str(self.keys)]
        helping = stack.enter_context(running(helper, 0, self.place.helper))
        for peer in PEERS:
            port = self.asked.port + 10 + len(self.sides)
            pid = stack.enter_context(running(peer.configure(self.place, port), 0, port, env=self.place.environment))
            workers = subprocess.run(
                ["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False
            ).stdout.split()
            own = [pid, *map(int, workers), *([helping] if peer.name == "nginx" else [])]
            self.sides[peer.name] = port, own
            self.settings[peer.name] = {"version": peer.which(self.place), "settings": peer.says}


def measure(stand: Stand) -> dict[str, list[dict[str, Any]]]:
    """The turns of each side, with many connections and with one. Raises ValueError when a side answers anything but 200."""
    asked, lua = stand.asked, script(stand.folder, stand.tokens)
    environment, command = stand.place.environment, stand.place.bin("wrk")
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in stand.sides}
    for number in range(asked.rounds + 1):
        for name, (port, pids) in stand.sides.items():
            seconds = asked.seconds if number else 2
            # Tokens and connections are known, as after a while; what is kept for 30 seconds was forgotten since the side's last turn.
            wrk(command, environment, lua, port, asked.connections, 1, pids)
            many = wrk(command, environment, lua, port, asked.connections, seconds, pids)
            one = wrk(command, environment, lua, port, 1, max(seconds // 2, 1), pids)
            _good(name, many, one)
            print(
                f"round {number}: {name}: {many.rate:,.0f}/s, {many.cpu:.0f} µs each; one connection: {one.p50:.0f} µs",
                flush=True,
            )
            if number:
                turns[name].append({"many": many.told(), "one": one.told()})
    return turns


def _good(name: str, *figures: Figures) -> None:
    for each in figures:
        if each.wrong or not each.requests:
            raise ValueError(f"{name}: {each.wrong} of {each.requests} were not answered as they should")


def quick(stand: Stand) -> None:
    """Ask each side some hundred times, with a handful of tokens so that all but the first requests go the fast way."""
    for name, (port, pids) in stand.sides.items():
        figures = asyncio.run(few(port, stand.tokens[:5], _ASKED, pids))
        _good(name, figures)
        print(
            f"{name}: {figures.requests} requests, {figures.cpu:.0f} µs of CPU each, median {figures.p50:.0f} µs",
            flush=True,
        )


def main(arguments: Sequence[str] | None = None) -> None:
    asked = options(arguments)
    with tempfile.TemporaryDirectory(prefix="tailrace-edge-") as name, ExitStack() as stack:
        about = machine()
        stand = Stand(asked, Path(name))
        stand.open(stack)
        if asked.quick:
            quick(stand)
            return
        turns = measure(stand)
        told = result(
            turns,
            stand.settings,
            {**about, "path": PATH, "rounds": asked.rounds, "seconds": asked.seconds, "connections": asked.connections},
        )
    write(told, asked.json, asked.page)


if __name__ == "__main__":
    main()
