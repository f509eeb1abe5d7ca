"""The stack inside this process, for tests: start and stop it from synchronous or asynchronous code, on free ports.

The children are kept by a thread of their own, so they come back after a kill even while the caller blocks, and they end
when this process does.
"""

import asyncio
import shutil
import threading
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

from tailrace.stack.layout import Layout, Ports
from tailrace.stack.plan import External, Only, Plan, edge_names, service_names
from tailrace.stack.supervisor import Supervisor

T = TypeVar("T")


class Stack:
    """PostgreSQL alone (`only="postgres"`), with Kafka (`"kafka"`), with Connect too (`"stack"`), or with every service (`"fleet"`).

    `data` is kept, so a second `Stack` on the same folder finds what the first one stored. `environment` goes to the fleet.
    Not `durable` is for data that is thrown away: a power failure may damage it, and nothing waits for the disk.
    `broker` are further settings of Kafka.
    """

    def __init__(
        self,
        data: Path,
        *,
        only: Only = "fleet",
        ports: Ports | None = None,
        services: Iterable[str] | None = None,
        external: External | None = None,
        environment: dict[str, str] | None = None,
        durable: bool = True,
        broker: Mapping[str, str] | None = None,
    ) -> None:
        names = service_names() if services is None else list(services)
        layout = Layout(data.absolute())
        self.plan = Plan(
            layout,
            ports or Ports.free(names, edge_names(), layout.known_places()),
            only,
            external or External(),
            environment or {},
            durable,
            broker or {},
        )
        self._supervisor: Supervisor | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> Self:
        """Returns when everything is ready. Raises `OperatorError`, with everything stopped."""
        self._begin().result()
        return self

    def stop(self) -> None:
        """Stop everything, in reverse order. A second call does nothing."""
        if self._loop is not None:
            self._submit(self._stop()).result()
            self._end()

    def stop_beyond(self, only: Only) -> None:
        """Stop what a stack of that size does not have, for good: `"postgres"` leaves PostgreSQL alone."""
        self._submit(self.supervisor.stop_beyond(only)).result()

    def discard(self) -> None:
        """Stop, and delete the data, wherever PostgreSQL's part of it lies."""
        self.stop()
        data = self.plan.layout.data
        cluster = data / "postgres"
        if cluster.is_symlink():
            shutil.rmtree(cluster.resolve().parent, ignore_errors=True)
        shutil.rmtree(data, ignore_errors=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    async def __aenter__(self) -> Self:
        await asyncio.wrap_future(self._begin())
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._loop is not None:
            await asyncio.wrap_future(self._submit(self._stop()))
            self._end()

    @property
    def supervisor(self) -> Supervisor:
        assert self._supervisor is not None, "the stack is not started"
        return self._supervisor

    @property
    def postgres_url(self) -> str:
        """Of the superuser, as `postgresql://…`."""
        return self.plan.postgres_url(self.supervisor.credentials)

    @property
    def kafka(self) -> str:
        """The address of the one broker, for the operator (`tailrace.core.addresses.kafka`)."""
        return self.plan.kafka(self.supervisor.credentials)

    @property
    def connect_url(self) -> str:
        """Of Connect, with the operator's credentials."""
        return self.plan.connect_url(self.supervisor.credentials)

    @property
    def gateway_url(self) -> str:
        return self.plan.gateway_url

    @property
    def environment(self) -> dict[str, str]:
        """The variables with which another process finds this stack."""
        return self.plan.environment(self.supervisor.credentials)

    def pids(self) -> dict[str, int]:
        """The pids alive now: postgres, kafka, connect, fleet, and each service under its own name."""
        return self.supervisor.pids()

    def _begin(self) -> "Future[None]":
        assert self._loop is None, "the stack is started already"
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tailrace-stack", daemon=True)
        self._thread.start()
        return self._submit(self._start())

    async def _start(self) -> None:
        self._supervisor = Supervisor(self.plan)
        await self._supervisor.start()

    async def _stop(self) -> None:
        if self._supervisor is not None:
            await self._supervisor.stop()

    def _submit(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _end(self) -> None:
        assert self._loop is not None
        assert self._thread is not None
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._loop = self._thread = None
