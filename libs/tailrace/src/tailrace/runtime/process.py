"""One service as a process: HTTP, consumer and timers side by side locally, each on its own in a cluster; a graceful stop for all."""

import asyncio
import gc
import signal
from collections.abc import Callable, Coroutine
from contextlib import suppress
from functools import partial
from ipaddress import ip_network
from typing import Any, Literal

import uvicorn
from fastapi import FastAPI

from tailrace.capture import outbox_retention
from tailrace.capture.canary import write_canaries
from tailrace.core.names import slot_name
from tailrace.db.database import Database
from tailrace.db.lookout import Announcer, Lookout
from tailrace.errands.runner import ErrandRunner
from tailrace.http import idempotency
from tailrace.http.protocol.admission import Limit
from tailrace.http.protocol.uvicorn_protocol import LONGEST_HEAD, HttpProtocol, limited
from tailrace.jobs.runner import JobRunner
from tailrace.kafka.record_lookup import reading
from tailrace.kafka.uvloop_workaround import translate_closed_writes
from tailrace.messaging.consumer import Consumer
from tailrace.messaging.dispatcher import Dispatcher
from tailrace.messaging.timers import TimerRunner
from tailrace.observability import metrics, tracing
from tailrace.observability.logs import configure, log
from tailrace.redrive.redriver import redrive_forever
from tailrace.redrive.reminder import remind_forever
from tailrace.runtime.app import build_app
from tailrace.runtime.gauges import Gauges
from tailrace.service import Service
from tailrace.settings import Settings
from tailrace.storage.sweeper import sweep_forever

Part = Literal["api", "consumer"]
BOTH: frozenset[Part] = frozenset({"api", "consumer"})
_WORK_GRACE, _REQUEST_GRACE = 4.0, 8
"""Seconds; together less than the 15 after which the process is killed. What is cut off is rolled back and comes again."""
_THIS_MACHINE = [ip_network("127.0.0.0/8"), ip_network("::1/128")]


class _Server(uvicorn.Server):
    """uvicorn with the signals left to us: one stop for everything in the process."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._asked_to_stop = asyncio.Event()

    def install_signal_handlers(self) -> None:
        return

    def stop(self) -> None:
        self.should_exit = True
        self._asked_to_stop.set()

    async def main_loop(self) -> None:
        # uvicorn's own looks ten times a second whether it is to end: a fifth of what an idle service uses.
        while not await self.on_tick(0):
            with suppress(TimeoutError):
                await asyncio.wait_for(self._asked_to_stop.wait(), 1.0)


def run(
    service: Service,
    settings: Settings,
    port: int,
    *,
    host: str = "127.0.0.1",
    parts: frozenset[Part] = BOTH,
    on_ready: Callable[[], None] | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT; then finish what is under way, at most twelve seconds."""
    settings = settings.as_kafka_user(service.name)
    configure(service.name, settings.log_level)
    tracing.install(service.name)
    metrics.install(service.name)
    if settings.metrics_port is not None:
        metrics.serve(host, settings.metrics_port)
    uvicorn.config.LOGGING_CONFIG = {}
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_serve(service, settings, host, port, parts, on_ready))
    finally:
        tracing.flush()
        metrics.flush()


def http_config(
    service: Service, app: FastAPI, host: str, port: int, settings: Settings | None = None
) -> uvicorn.Config:
    """How uvicorn serves a service, by the protocol that its app brings along (`app.state.protocol`), or by the kit's. At the edge X-Forwarded-For
    is believed only of the proxies that the settings name: a client that chose the address it is counted under would be counted under none."""
    limits = settings or Settings()
    proxies = limits.trusted_proxies or ([] if service.edge else _THIS_MACHINE)
    share = limits.address_connections if service.edge else None
    return uvicorn.Config(
        app,
        host=host,
        port=port,
        http=limited(
            limits.connections,
            limits.head_timeout,
            of_one_address=share,
            takes_at_least=limits.client_rate,
            proxies=limits.trusted_proxies,
            protocol=getattr(app.state, "protocol", HttpProtocol),
        ),
        log_config=None,
        access_log=False,
        lifespan="on",
        proxy_headers=bool(proxies),
        forwarded_allow_ips=[str(network) for network in proxies],
        server_header=False,
        h11_max_incomplete_event_size=LONGEST_HEAD,
        timeout_graceful_shutdown=_REQUEST_GRACE,
    )


async def _serve(
    service: Service,
    settings: Settings,
    host: str,
    port: int,
    parts: frozenset[Part],
    on_ready: Callable[[], None] | None,
) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    app = build_app(service, settings)
    # What answers for as long as its client likes ends with this.
    app.state.stopping = stop
    app.state.serves_api = "api" in parts
    app.state.limit = None if settings.requests_at_once is None else Limit(settings.requests_at_once)
    server = _Server(http_config(service, app, host, port, settings))
    serving = asyncio.create_task(server._serve())
    while not server.started and not serving.done():  # noqa: ASYNC110  (uvicorn offers a flag, not an event)
        await asyncio.sleep(0.01)
    if serving.done():
        await serving
        raise SystemExit(f"{service.name} could not start; its log says why")
    working = [asyncio.create_task(work) for work in _work(service, settings, app, stop, parts)]
    # What is here by now stays: a collector that looked through it again and again would hold up requests for some milliseconds each time.
    gc.freeze()
    log.info("serving", port=port)
    if on_ready is not None:
        on_ready()
    await asyncio.wait([asyncio.create_task(stop.wait()), serving, *working], return_when=asyncio.FIRST_COMPLETED)
    await _shut_down(server, serving, working, stop)


def _work(
    service: Service, settings: Settings, app: FastAPI, stop: asyncio.Event, parts: frozenset[Part]
) -> list[Coroutine[Any, Any, None]]:
    if service.metadata is None:
        return []
    database: Database = app.state.database
    if "consumer" not in parts:
        database.announce = Announcer(every=settings.look_every)
        return []
    lookout = Lookout(database, every=settings.look_every)
    database.told = lookout.told
    work: list[Coroutine[Any, Any, None]] = [idempotency.prune_forever(database, stop)]
    if service.subscribers:
        work += _consuming(service, settings, app, stop, lookout)
    if service.topic is not None:
        noticed = app.state.consumer.noticed if service.subscribers else None
        work.append(write_canaries(database, service.name, settings.canary_every, stop, noticed))
        work.append(outbox_retention.prune_forever(database, service.name, settings.kafka, stop))
    slot = slot_name(service.name) if service.topic is not None else None
    work.append(Gauges(database, slot, getattr(app.state, "consumer", None)).run(stop))
    if service.attachments:
        work.append(sweep_forever(database, app.state.store, stop))
    if service.all_timers:
        work.append(TimerRunner(database, service.all_timers).run(stop, lookout))
    if service.errands:
        work.append(ErrandRunner(database, service.errands, settings).run(stop, lookout))
    if service.all_jobs:
        work.append(JobRunner(database, service.all_jobs).run(stop, lookout))
    work.extend(each(app, settings, stop) for each in service.works)
    # Behind those who have their posts there.
    work.append(lookout.run(stop))
    if "api" not in parts:
        work.append(lookout.listen(stop))
    return work


def _consuming(
    service: Service, settings: Settings, app: FastAPI, stop: asyncio.Event, lookout: Lookout
) -> list[Coroutine[Any, Any, None]]:
    """What reads events, and what tends to those that could not be applied."""
    database: Database = app.state.database
    consumer = Consumer(service.name, Dispatcher(service.name, database, service.subscribers), settings)
    app.state.consumer = consumer
    redriving = redrive_forever(
        service.name,
        service.subscribers,
        database,
        partial(reading, settings.kafka),
        stop,
        lookout=lookout,
        every=settings.redrive_every,
    )
    return [consumer.run(stop), remind_forever(service.name, database, stop), redriving]


async def _shut_down(
    server: _Server, serving: asyncio.Task[None], working: list[asyncio.Task[None]], stop: asyncio.Event
) -> None:
    """The consumer first, so that nothing is applied after the pool is gone; a part that broke is what the process ends with."""
    broken = [task for task in working if task.done() and task.exception() is not None]
    stop.set()
    if working:
        _, late = await asyncio.wait(working, timeout=_WORK_GRACE)
        for task in late:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)
    server.stop()
    with suppress(asyncio.CancelledError):
        await serving
    for task in broken:
        await task


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop]:
    import uvloop

    translate_closed_writes()
    return uvloop.new_event_loop
