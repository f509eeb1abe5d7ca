"""Identifiers: every id that leaves Tailrace is a UUIDv7 (RFC 9562), so that keys sort by the time they were made."""

from uuid import NAMESPACE_URL, UUID, uuid5

from uuid_utils.compat import uuid7

__all__ = ["NIL", "derived_id", "uuid7"]

NIL = UUID(int=0)


def derived_id(*parts: object) -> UUID:
    """The same id for the same parts, everywhere and for ever (UUIDv5): for streams and answers that are named by what they are about."""
    return uuid5(NAMESPACE_URL, "tailrace:" + "/".join(str(part) for part in parts))
