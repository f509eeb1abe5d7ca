"""Tells a process of the gateway about revocations: from `user.events`, one token lifetime of it before the process lets anybody in."""

from collections.abc import Callable
from typing import Any, Protocol

from contracts.users import UserEvent
from gateway.revocations import CLOCKS_DIFFER, TYPES, Revocations
from tailrace.core.events import Meta
from tailrace.kafka.broadcast_consumer import follow
from tailrace.settings import Settings


class Feed(Protocol):
    """What tells a process of the gateway about revocations."""

    async def run(self, revocations: Revocations) -> None:
        """Go on until cancelled."""
        ...


class UserEvents:
    """The events of identity, from Kafka."""

    def __init__(self, settings: Settings, topic: str = UserEvent.topic) -> None:
        self._bootstrap = settings.kafka
        self._past = settings.token_lifetime + CLOCKS_DIFFER
        self._topic = topic

    async def run(self, revocations: Revocations) -> None:
        told = _Told(revocations)
        await follow(self._topic, self._bootstrap, told, past=self._past, client="tailrace-gateway")


class _Told:
    """Revocations as a follower of the topic. A record that makes no sense means no session, and is passed over."""

    def __init__(self, revocations: Revocations) -> None:
        self._revocations = revocations
        self.is_current = revocations.is_current
        self.is_behind = revocations.is_behind

    @property
    def behind(self) -> str | None:
        return self._revocations.behind

    def take(self, meta: Meta, payload: Callable[[], dict[str, Any]]) -> None:
        if meta.type in TYPES:
            self._revocations.apply(meta, payload())
