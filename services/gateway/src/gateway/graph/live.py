"""Changes as they happen: one follower of a topic in each process while anybody listens, and a bounded queue for each who does."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from gateway.asking import said_of
from gateway.graph.caller import Caller, Refusal
from gateway.graph.offer import Watch
from gateway.refusals import TooSlow
from tailrace.core.errors import Problem, Unavailable
from tailrace.core.events import Meta
from tailrace.kafka.broadcast_consumer import follow

_MOST = 100
"""Changes that wait for one who listens."""
_CURRENT_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class Change:
    """One message. `sequence` is the thing's version in the first, which has no `type`."""

    sequence: int | None
    type: str | None = None
    occurred_at: str | None = None
    thing: Any = None


@dataclass(frozen=True, slots=True)
class _Event:
    meta: Meta
    payload: dict[str, Any]


@dataclass(eq=False, slots=True)
class _Listener:
    tenant_id: UUID
    wants: Callable[[Meta, dict[str, Any]], bool]
    queue: asyncio.Queue[_Event | Problem] = field(default_factory=lambda: asyncio.Queue(_MOST))
    over: bool = False

    def hear(self, meta: Meta, payload: Callable[[], dict[str, Any]]) -> None:
        if self.over or meta.tenant_id != self.tenant_id:
            return
        said = payload()
        if self.wants(meta, said):
            if self.queue.qsize() >= _MOST:
                self.end(TooSlow("More changes than wait for a client came before it took them; subscribe again."))
            else:
                self.queue.put_nowait(_Event(meta, said))

    def end(self, problem: Problem) -> None:
        """Nothing more comes, and what waits is dropped: it would be a history with a hole."""
        self.over = True
        while not self.queue.empty():
            self.queue.get_nowait()
        self.queue.put_nowait(problem)


class _Topic:
    """A follower of one topic (`tailrace.kafka.broadcast_consumer.Follower`), and who listens."""

    def __init__(self) -> None:
        self.listeners: set[_Listener] = set()
        self.current = asyncio.Event()
        self.behind: str | None = "not read yet"

    def take(self, meta: Meta, payload: Callable[[], dict[str, Any]]) -> None:
        if self.current.is_set():
            for listener in self.listeners:
                listener.hear(meta, payload)

    def is_current(self) -> None:
        self.behind = None
        self.current.set()

    def is_behind(self, reason: str) -> None:
        self.behind = reason
        self.current.clear()
        for listener in self.listeners:
            listener.end(Unavailable("Changes cannot be followed at the moment; subscribe again."))


Following = Callable[[str, _Topic], Any]


class Live:
    """What goes on, for all who listen in this process. `following` follows a topic until it is cancelled."""

    def __init__(self, bootstrap: str, following: Following | None = None) -> None:
        self._following = following or (
            lambda topic, to: follow(topic, bootstrap, to, past=0, client="tailrace-gateway-live")
        )
        self._topics: dict[str, tuple[_Topic, asyncio.Task[None]]] = {}

    @property
    def topics(self) -> int:
        """That are followed now."""
        return len(self._topics)

    async def changes(self, watch: Watch, id: str, caller: Caller) -> AsyncGenerator[Change, None]:
        """First the state as it is read once nothing can be missed, then each change. Raises Refusal, also when it ends before its client does."""
        with self._listening(watch.topic, caller.tenant_id, _wants(watch, id or str(caller.user_id))) as (
            topic,
            listener,
        ):
            try:
                async with asyncio.timeout(_CURRENT_WITHIN):
                    await topic.current.wait()
            except TimeoutError as error:
                raise Refusal(said_of(Unavailable("Changes cannot be followed at the moment."))) from error
            seen = 0
            if watch.begins:
                thing = await caller.reread(watch.path.format(**{watch.argument: id}))
                seen = thing["version"]
                yield Change(seen, thing=thing)
            else:
                await _permitted(watch, {watch.argument: id}, caller)
                yield Change(None)
            while True:
                event = await listener.queue.get()
                if isinstance(event, Problem):
                    raise Refusal(said_of(event))
                if not watch.begins or event.meta.sequence > seen:
                    seen = event.meta.sequence
                    yield await _change(watch, event, caller)

    @contextmanager
    def _listening(
        self, name: str, tenant_id: UUID, wants: Callable[[Meta, dict[str, Any]], bool]
    ) -> Iterator[tuple[_Topic, _Listener]]:
        topic, _ = self._topics.get(name) or self._follow(name)
        listener = _Listener(tenant_id, wants)
        topic.listeners.add(listener)
        try:
            yield topic, listener
        finally:
            topic.listeners.discard(listener)
            if not topic.listeners:
                self._topics.pop(name)[1].cancel()

    def _follow(self, name: str) -> tuple[_Topic, asyncio.Task[None]]:
        topic = _Topic()
        self._topics[name] = topic, asyncio.create_task(self._following(name, topic))
        return self._topics[name]


def _wants(watch: Watch, id: str) -> Callable[[Meta, dict[str, Any]], bool]:
    if watch.begins:
        wanted = UUID(id)
        return lambda meta, _: meta.aggregate_id == wanted
    named, key, also = watch.named, watch.argument or "user_id", watch.also
    return lambda meta, payload: payload.get(key) == id and (meta.type in also or named <= payload.keys())


async def _permitted(watch: Watch, named: Mapping[str, str], caller: Caller) -> None:
    """Raises Refusal unless the caller may listen."""
    path, _, query = watch.permits.format(**named).partition("?")
    await caller.reread(path, query)


async def _change(watch: Watch, event: _Event, caller: Caller) -> Change:
    """The thing is read under the caller's own token each time, or where the event names none, what permits listening: who may see it no more hears
    no more."""
    meta, named = event.meta, {name: quote(str(value), safe="") for name, value in event.payload.items()}
    if meta.type in watch.also:
        await _permitted(watch, named, caller)
        return Change(meta.sequence, meta.type, _moment(meta.time))
    said = await caller.reread(watch.path.format(**named), watch.query.format(**named))
    if watch.query:
        said = next(iter(said["items"]), None)
    return Change(meta.sequence, meta.type, _moment(meta.time), said)


def _moment(at: datetime) -> str:
    return at.isoformat()
