"""Where a partner has got to, as one text that it keeps: its own topics, and in each the next offset of every partition."""

import base64
import json
from collections.abc import Mapping, Sequence
from uuid import UUID

from partners.models import topic_of
from tailrace.core.errors import Invalid

LONGEST = 32_000
"""Characters: every topic with a hundred partitions, each far on; below what a request's head may have."""
_MOST = 2**63 - 1


def write(partner_id: UUID, places: Mapping[str, Sequence[int]]) -> str:
    """For `read`."""
    start = topic_of(partner_id, "")
    said = [_mark(partner_id), {topic.removeprefix(start): list(of) for topic, of in places.items()}]
    text = json.dumps(said, separators=(",", ":"), sort_keys=True)
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read(partner_id: UUID, cursor: str | None, field: str) -> dict[str, list[int]]:
    """The places; none, for the beginning. Raises Invalid, which names the field, for what is no cursor of this partner's."""
    if cursor is None:
        return {}
    try:
        mark, places = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True))
        found = {topic_of(partner_id, str(topic)): [_offset(each) for each in of] for topic, of in places.items()}
    except (ValueError, TypeError, AttributeError, RecursionError):
        raise Invalid.field(field, "It is no cursor. Send one as it was answered, or none for the beginning.") from None
    if mark != _mark(partner_id):
        raise Invalid.field(field, "It is another partner's cursor.")
    return found


def _mark(partner_id: UUID) -> str:
    return partner_id.hex[-12:]


def _offset(read: object) -> int:
    if type(read) is not int or not 0 <= read <= _MOST:
        raise ValueError("no offset")
    return read
