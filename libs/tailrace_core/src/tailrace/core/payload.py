"""What waits in a row until its time comes: small, typed, and read again by code that may be newer than the row.

    class Page(Payload):
        day: date
        after: UUID | None = None

A change that old rows would not fit raises `version`, and `upcast` makes the new form of an old one, as for events.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Self

from pydantic import BaseModel, ConfigDict

LARGEST = 16 * 1024
"""Bytes of a payload as JSON. What is larger belongs into a table, and its id into the payload."""


class Payload(BaseModel):
    """A value that is stored beside what waits."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: ClassVar[int] = 1

    def stored(self) -> dict[str, Any]:
        """As JSON-ready data. Raises ValueError above LARGEST bytes."""
        if len(self.model_dump_json().encode()) > LARGEST:
            raise ValueError(f"{type(self).__name__} would be larger than {LARGEST} bytes")
        return self.model_dump(mode="json")

    @classmethod
    def read(cls, version: int, stored: Mapping[str, Any]) -> Self:
        """What was stored by this version of the code or an older one. Raises ValueError for a newer one."""
        if version > cls.version:
            raise ValueError(f"{cls.__name__} of version {version} is newer than this code, which knows {cls.version}")
        given = dict(stored) if version == cls.version else cls.upcast(version, dict(stored))
        return cls.model_validate(given)

    @classmethod
    def upcast(cls, version: int, payload: dict[str, Any]) -> dict[str, Any]:
        """The present form of what an older `version` stored."""
        return payload
