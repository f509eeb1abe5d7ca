"""The fleet as one supervisor process: it imports every service once and forks one process each, so that forty of them share their memory.

A child that dies comes back with back-off. `python -m tailrace.runtime.fleet` runs until SIGTERM, then stops the children gracefully.
"""

import ctypes
import gc
import json
import os
import signal
import sys
import time
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from importlib.metadata import entry_points

from tailrace.core.installed import EDGE, ISSUERS, SERVICES, STAND_INS, installed, stand_ins
from tailrace.core.retries.backoff import Backoff
from tailrace.observability.log_files import write_to
from tailrace.service import Service
from tailrace.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE, _STEADY = 0.2, 10.0, 20.0
_GRACE = 15.0


def load_services(only: Sequence[str] = ()) -> list[Service]:
    """The installed services, by name; each is an entry point of the group `tailrace.services`.

    Raises ValueError when a manifest and its package's entry points do not agree on who is the edge, who issues tokens, or who stands in for others.
    """
    found = sorted(entry_points(group=SERVICES), key=lambda point: point.name)
    with _nothing_collected():
        services = [point.load() for point in found if not only or point.name in only]
    edges, issuers, in_place = installed(EDGE), installed(ISSUERS), stand_ins().values()
    for service in services:
        if not isinstance(service, Service):
            raise TypeError(f"the entry point {service!r} is not a Service")
        for said, group, named in (
            (service.edge, EDGE, edges),
            (service.issues_tokens, ISSUERS, issuers),
            (service.stands_in, STAND_INS, in_place),
        ):
            if said != (service.name in named):
                raise ValueError(
                    f"the manifest of {service.name} and the entry points {group} of its package do not agree"
                )
    return services


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """What is imported stays. Looking again and again for what does not would be a fifth of the work."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


@dataclass
class Child:
    """One service's process, as its supervisor sees it."""

    service: Service
    port: int
    pid: int = 0
    started: float = 0.0
    backoff: Backoff = field(default_factory=lambda: Backoff(_FIRST_PAUSE, _LONGEST_PAUSE))
    due: float = 0.0
    restarts: int = 0


class Fleet:
    """Forks, watches and stops. Single-threaded and without an event loop, since a fork copies neither safely."""

    def __init__(self, services: Sequence[Service], settings: Settings) -> None:
        self._settings = settings
        self._children = [Child(service, settings.ports[service.name]) for service in services]
        self._stopping = False

    def run(self) -> None:
        signal.signal(signal.SIGTERM, self._stop)
        signal.signal(signal.SIGINT, self._stop)
        _import_what_children_use()
        # What is alive now is shared by all children; freezing it keeps the collector from touching, and so copying, its pages.
        gc.collect()
        gc.freeze()
        while not self._stopping:
            self._start_due()
            self._reap()
            time.sleep(0.05)
        self._end_children()

    def _stop(self, *_: object) -> None:
        self._stopping = True

    def _start_due(self) -> None:
        now = time.monotonic()
        for child in self._children:
            if not child.pid and now >= child.due:
                self._fork(child)
                self._write_status()

    def _fork(self, child: Child) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        child.started = time.monotonic()
        supervisor = os.getpid()
        pid = os.fork()
        if pid:
            child.pid = pid
            return
        code = 1
        try:
            _die_with(supervisor)
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            _serve(child, self._settings)
            code = 0
        except SystemExit as error:
            code = error.code if isinstance(error.code, int) else 1
            traceback.print_exc()
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            for child in self._children:
                if child.pid == pid:
                    self._note_death(child, os.waitstatus_to_exitcode(status))

    def _note_death(self, child: Child, code: int) -> None:
        lived = time.monotonic() - child.started
        if lived > _STEADY:
            child.backoff.reset()
        pause = child.backoff.next()
        child.pid, child.due = 0, time.monotonic() + pause
        child.restarts += 1
        if not self._stopping:
            _say("service died", service=child.service.name, code=code, again_in=round(pause, 2))
        self._write_status()

    def _end_children(self) -> None:
        for child in self._children:
            _signal(child.pid, signal.SIGTERM)
        deadline = time.monotonic() + _GRACE
        while any(child.pid for child in self._children) and time.monotonic() < deadline:
            self._reap()
            time.sleep(0.02)
        for child in self._children:
            _signal(child.pid, signal.SIGKILL)

    def _write_status(self) -> None:
        status = {c.service.name: {"pid": c.pid, "port": c.port, "restarts": c.restarts} for c in self._children}
        path = self._settings.data / "run" / "fleet.json"
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh = path.with_suffix(".part")
            fresh.write_text(json.dumps(status))
            fresh.replace(path)
        except OSError as error:
            # A full disk must not end the services that work; the next change writes all of it.
            _say("the fleet's status cannot be written", reason=str(error))


def _import_what_children_use() -> None:
    """Before the first fork, so that it is read once and shared: left to the children, it was a quarter of a second and 13 MiB for each."""
    import encodings.idna

    import opentelemetry.exporter.prometheus
    import opentelemetry.sdk.metrics.export
    import uvicorn.lifespan.on
    import uvloop

    import tailrace.runtime.process

    assert encodings.idna and opentelemetry.exporter.prometheus and opentelemetry.sdk.metrics.export
    assert uvicorn.lifespan.on and uvloop and tailrace.runtime.process


def _serve(child: Child, settings: Settings) -> None:
    from tailrace.runtime.process import run

    write_to(settings.data / "logs" / f"{child.service.name}.log")
    run(child.service, settings, child.port)


def _say(event: str, **more: object) -> None:
    """One line of the supervisor's own, past Python's buffer, which a full disk would leave filled for the next fork to copy."""
    with suppress(OSError):
        os.write(1, f"{json.dumps({'event': event, **more, 'level': 'error'})}\n".encode())


def _signal(pid: int, number: int) -> None:
    if pid:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            return


def _die_with(supervisor: int) -> None:
    """Linux: be killed when the supervisor is, so that no process is left behind unwatched (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    # Compared with its own number, since in a container the supervisor may be process 1.
    if os.getppid() != supervisor:
        os._exit(1)


def main() -> None:
    settings = Settings()
    Fleet(load_services(), settings).run()


if __name__ == "__main__":
    main()
