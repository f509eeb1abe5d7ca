"""Records as evidence has them."""

from typing import Any

from audit.models import Record
from tailrace.verify.evidence import moment


def entry_of(record: Record) -> dict[str, Any]:
    """A record as it was hashed (`tailrace.verify.evidence`)."""
    return {
        "actor": record.actor_id,
        "cause": None if record.causation_id is None else str(record.causation_id),
        "correlation": str(record.correlation_id),
        "data": record.commitment.hex(),
        "document": str(record.document_id),
        "epoch": record.epoch,
        "id": str(record.id),
        "position": record.position,
        "prev": record.prev.hex(),
        "schema": record.schema,
        "sequence": record.sequence,
        "service": record.service,
        "tenant": str(record.tenant_id),
        "time": moment(record.occurred_at),
        "topic": record.topic,
        "type": record.type,
    }
