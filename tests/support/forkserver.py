"""Processes that may die: forked from one that has imported everything already, so that dozens of them cost little.

`ForkServer` is the side of the tests; run as a program, this module is the one that forks. Each child is an ordinary process of the operating
system that runs the product as `tailrace.runtime.process` does, with the points of its orders armed.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from failpoints import Failpoint

KILLED = -signal.SIGKILL


@dataclass
class Life:
    """One process, from its fork to its end."""

    forkserver: "ForkServer"
    pid: int

    async def ended(self, within: float = 600) -> int:
        """Its exit code, negative for a signal. Raises AssertionError when it lives on."""
        deadline = time.monotonic() + within
        while (code := self.forkserver.order("code", pid=self.pid)) is None:
            assert time.monotonic() < deadline, f"the process lived on for {within:g} s"
            await asyncio.sleep(0.02)
        return int(code)

    async def struck(self, within: float = 600) -> None:
        """Returns when it died at its point. Raises AssertionError when it ended otherwise, or not at all."""
        code = await self.ended(within)
        assert code == KILLED, f"ended with {code} instead of dying at its point"

    def signal(self, number: signal.Signals) -> None:
        if self.forkserver.order("code", pid=self.pid) is None:
            os.kill(self.pid, number)

    async def kill(self) -> None:
        """SIGKILL, unless it is dead already; returns when it is gone."""
        self.signal(signal.SIGKILL)
        await self.ended()


class ForkServer:
    """`with ForkServer() as forkserver: life = forkserver.start("serve", points, …)`; whoever is left is killed at the end."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
        self._forker = subprocess.Popen(
            [sys.executable, "-u", __file__], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self._forker.stdin is not None
        self._forker.stdin.close()
        self._forker.wait(120)

    def start(self, task: str, points: Sequence[Failpoint] = (), **given: Any) -> Life:
        """Fork a process that arms the points and does one of the tasks below."""
        pid = self.order("fork", task=task, points=[asdict(point) for point in points], given=given)
        return Life(self, int(pid))

    def order(self, what: str, **given: Any) -> Any:
        assert self._forker.stdin is not None
        assert self._forker.stdout is not None
        self._forker.stdin.write(json.dumps({"what": what, **given}) + "\n")
        self._forker.stdin.flush()
        answer = self._forker.stdout.readline()
        assert answer, "the process that forks is gone; its error is above"
        return json.loads(answer)


def _serve(
    service: str, settings: dict[str, Any], port: int, parts: Iterable[str] = ("api", "consumer"), scene: str = ""
) -> None:
    """A service as a process; `scene` sets its topics and its group apart from those of other tests."""
    from tailrace.runtime.process import run
    from tailrace.settings import Settings

    if scene:
        _set_apart(_SERVICES[service], scene)
    run(_SERVICES[service], Settings(**settings), port, parts=frozenset(parts))  # type: ignore[arg-type]


def _set_apart(service: Any, scene: str) -> None:
    import tailrace.kafka.clients
    import tailrace.runtime.process

    for event in {event for subscriber in service.subscribers for event in subscriber.events}:
        event.topic = f"{event.topic}.{scene}"
    running: Any = tailrace.runtime.process
    consuming: Any = tailrace.kafka.clients
    consumer, client = running.Consumer, consuming.consumer

    def named(group: str, *arguments: Any, **options: Any) -> Any:
        return consumer(f"{group}.{scene}", *arguments, **options)

    def impatient(*where: str, **options: Any) -> Any:
        # Whoever was killed leaves its group after two seconds instead of ten.
        return client(*where, **{**options, "session_timeout_ms": 2000, "heartbeat_interval_ms": 500})

    running.Consumer = named
    consuming.consumer = impatient


def _prepare(service: str, settings: dict[str, Any]) -> None:
    from tailrace.runtime.migrate import prepare_database
    from tailrace.settings import Settings

    asyncio.run(prepare_database(settings["postgres"], _SERVICES[service], Settings(**settings)))


def _fleet(settings: dict[str, Any]) -> None:
    from fastapi import FastAPI

    from tailrace.runtime.fleet import Fleet
    from tailrace.service import Service
    from tailrace.settings import Settings

    given = Settings(**settings)
    Fleet([Service(name=name, build=lambda settings: FastAPI()) for name in given.ports], given).run()


_TASKS: dict[str, Callable[..., None]] = {"serve": _serve, "prepare": _prepare, "fleet": _fleet}
_SERVICES: dict[str, Any] = {}
_codes: dict[int, int | None] = {}


def _fork(task: str, points: list[dict[str, Any]], given: dict[str, Any]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid:
        _codes[pid] = None
        return pid
    code = 1
    try:
        from tailrace.runtime.fleet import _die_with

        _die_with(parent)
        _close_talk()
        for point in points:
            Failpoint(**point).arm()
        _TASKS[task](**given)
        code = 0
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _close_talk() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)


def _code(pid: int) -> int | None:
    if _codes[pid] is None:
        done, status = os.waitpid(pid, os.WNOHANG)
        _codes[pid] = os.waitstatus_to_exitcode(status) if done else None
    return _codes[pid]


_ORDERS: dict[str, Callable[..., int | None]] = {"fork": _fork, "code": _code}


def _import_everything() -> None:
    import alembic.command
    import purse
    import uvloop
    from crash_toy import crash_toy
    from leaving import ends, leaving
    from toy import service as toy

    import tailrace.runtime.migrate
    import tailrace.runtime.process
    from activities.service import service as activities
    from analytics.service import service as analytics
    from inventory.service import service as inventory
    from notifications.service import service as notifications
    from shipping.service import service as shipping
    from workflow.service import service as workflow

    assert alembic.command and uvloop and tailrace.runtime.migrate and tailrace.runtime.process
    _SERVICES.update(toy=toy, crash_toy=crash_toy, purse=purse.service, leaving=leaving)
    _SERVICES.update({f"ends_of_{name}": service for name, service in ends.items()})
    _SERVICES.update(
        activities=activities,
        analytics=analytics,
        inventory=inventory,
        notifications=notifications,
        shipping=shipping,
        workflow=workflow,
    )


def _main() -> None:
    _import_everything()
    for line in sys.stdin:
        order = json.loads(line)
        answer = _ORDERS[order.pop("what")](**order)
        print(json.dumps(answer), flush=True)
    for pid, code in _codes.items():
        if code is None:
            os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent))
    _main()
