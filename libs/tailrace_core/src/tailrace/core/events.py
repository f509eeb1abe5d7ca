"""An event is declared once, by the context that publishes it, and reads back from any version it was ever published in."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, ClassVar, NamedTuple, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from tailrace.core.values.money import refuse_bare_decimals


class UnknownVersion(Exception):
    """An event arrived in a version newer than this reader knows: deploy the reader first."""


_PUBLISHERS: dict[str, str] = {}


def publisher_of_topic(topic: str) -> str | None:
    """The service that a topic belongs to, by the events that this process knows; None when none of them says so."""
    return _PUBLISHERS.get(topic)


def source_of(service: str) -> str:
    """What the events of a service have in `ce_source`."""
    return f"/tailrace/{service}"


class Event(BaseModel):
    """Something that happened, in the past tense. Subclasses say where it is published and under which name.

    Change a published event by adding optional fields; anything else is a new `version`, with `upcast` for the old ones.
    """

    # What a payload holds may be personal, and an error's text goes to the log.
    model_config = ConfigDict(frozen=True, extra="ignore", hide_input_in_errors=True)

    topic: ClassVar[str]
    publisher: ClassVar[str | None] = None
    """The service that the topic belongs to: what is on it is true only if that service's outbox says so."""
    type: ClassVar[str]
    version: ClassVar[int] = 1
    comes_of: ClassVar[tuple[str, ...]] = ()
    """The fields with the ids of what this document came of, such as the opportunity of a quote. A trace goes back along them."""
    serves: ClassVar[tuple[str, ...]] = ()
    """The fields with the ids of what this document was made to help, such as the opportunity that a task is done for."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        super().__pydantic_init_subclass__(**options)
        refuse_bare_decimals(cls)
        if cls.publisher is not None and _PUBLISHERS.setdefault(cls.topic, cls.publisher) != cls.publisher:
            raise TypeError(f"{cls.__name__}: {cls.topic} belongs to {_PUBLISHERS[cls.topic]}, not {cls.publisher}")

    @classmethod
    def upcast(cls, version: int, payload: dict[str, Any]) -> dict[str, Any]:
        """Turn a payload of an older `version` into this version's shape."""
        return payload

    @classmethod
    def read(cls, version: int, payload: dict[str, Any]) -> Self:
        """Parse a payload that was published as `version`.

        Raises UnknownVersion for a newer version, pydantic.ValidationError for a payload of another shape.
        """
        if version > cls.version:
            raise UnknownVersion(f"{cls.type} version {version}; this reader knows {cls.version}")
        return cls.model_validate(cls.upcast(version, payload) if version < cls.version else payload)

    @classmethod
    def schema_uri(cls) -> str:
        return f"urn:tailrace:schema:{cls.type}:v{cls.version}"


class Described(NamedTuple):
    """Which events tell of a thing: who keeps a copy of it hears these.

    `key` is the field with its id. Each of `told_by` carries the whole of it; `ended_by` says that it is out of use.
    """

    key: str
    told_by: tuple[type[Event], ...]
    ended_by: type[Event] | None = None


class Meta(NamedTuple):
    """The envelope of a delivered event: CloudEvents attributes and where in Kafka it stands. A tuple, since one is made of every record."""

    event_id: UUID
    type: str
    version: int
    topic: str
    aggregate_id: UUID
    sequence: int
    epoch: int
    tenant_id: UUID
    correlation_id: UUID
    causation_id: UUID | None
    traceparent: str | None
    time: datetime
    partition: int
    offset: int
    actor_id: str | None = None
    """Who began what led to it (`tailrace.core.context`); None of an event from before events said so."""


def by_type(events: Iterable[type[Event]]) -> Mapping[str, type[Event]]:
    """The events by wire name. Raises ValueError when two share one."""
    known: dict[str, type[Event]] = {}
    for event in events:
        if known.setdefault(event.type, event) is not event:
            raise ValueError(f"two classes are called {event.type}")
    return known
