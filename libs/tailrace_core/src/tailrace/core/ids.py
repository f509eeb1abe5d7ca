"""Identifiers: every id that leaves Tailrace is a UUIDv7 (RFC 9562), so that keys sort by the time they were made."""

import time
from uuid import NAMESPACE_URL, UUID, uuid5

from uuid_utils.compat import uuid7

__all__ = ["NIL", "derived_id", "is_recent", "uuid7"]

NIL = UUID(int=0)


def derived_id(*parts: object) -> UUID:
    """The same id for the same parts, everywhere and for ever (UUIDv5): for streams and answers that are named by what they are about."""
    return uuid5(NAMESPACE_URL, "tailrace:" + "/".join(str(part) for part in parts))


def is_recent(id: UUID, *, within: float = 60) -> bool:
    """Whether the id was made within so many seconds of now, as a UUIDv7 tells (RFC 9562, 5.7); never of an id of another kind."""
    return id.version == 7 and abs(time.time() - (id.int >> 80) / 1000) < within
