"""What stands in a header of an event that has nothing to say there: a header with a null value is refused by CloudEvents SDKs.

An event that no other one led to names its correlation as its cause. One that nobody traces has the trace of its correlation, marked as not sampled.
"""

from uuid import UUID

__all__ = ["cause_read", "cause_told", "trace_read", "trace_told"]


def cause_told(causation_id: UUID | None, correlation_id: UUID) -> UUID:
    """The cause as events tell it."""
    return correlation_id if causation_id is None else causation_id


def cause_read(told: UUID | None, correlation_id: UUID) -> UUID | None:
    """The event that led to this one; None at the beginning."""
    return None if told == correlation_id else told


def trace_told(traceparent: str | None, correlation_id: UUID, event_id: UUID) -> str:
    """The W3C trace context as events tell it."""
    return traceparent or f"{_untraced(correlation_id)}{event_id.hex[16:]}-00"


def trace_read(told: str | None, correlation_id: UUID) -> str | None:
    """The trace to go on with; None where nobody traces."""
    return None if not told or told.startswith(_untraced(correlation_id)) else told


def _untraced(correlation_id: UUID) -> str:
    return f"00-{correlation_id.hex}-"
