"""A double of the context that decides approvals: it answers what a document's owner submitted, on `approval.events`, as that context will."""

import json
from typing import Any

from aiokafka import AIOKafkaProducer

from contracts import approvals
from contracts.approvals import ApprovalEvent, ApprovalSubject
from tailrace.core.clock import now
from tailrace.core.ids import derived_id, uuid7


def answer(kind: type[ApprovalEvent], subject: ApprovalSubject, **said: Any) -> ApprovalEvent:
    """What is said of a submission: always under the same approval's id for the same submission."""
    return kind(approval_id=derived_id("approval", subject.kind, subject.id, subject.sha256), subject=subject, **said)


async def publish(kafka: str, tenant: str, *events: ApprovalEvent) -> None:
    """Put answers on the topic as Debezium would, the first ones of approvals that nothing was said of before."""
    producer = AIOKafkaProducer(bootstrap_servers=kafka, enable_idempotence=True)
    await producer.start()
    try:
        for sequence, event in enumerate(events, 1):
            headers = {
                "ce_id": str(uuid7()),
                "ce_type": event.type,
                "ce_source": "/tailrace/approvals",
                "ce_subject": str(event.approval_id),
                "ce_time": now().isoformat(),
                "ce_dataschema": event.schema_uri(),
                "ce_specversion": "1.0",
                "content-type": "application/json",
                "ce_tenantid": tenant,
                "ce_sequence": str(sequence),
                "ce_epoch": "1",
                "ce_correlationid": str(uuid7()),
            }
            pairs = [(name, text.encode()) for name, text in headers.items()]
            key, value = str(event.approval_id).encode(), event.model_dump_json().encode()
            await producer.send_and_wait(event.topic, value, key=key, headers=pairs)
    finally:
        await producer.stop()


def subject_of(payload: str | bytes) -> ApprovalSubject:
    """The subject in the payload of a submission."""
    return ApprovalSubject.model_validate(json.loads(payload)["subject"])


APPROVED, REJECTED = approvals.ApprovalApproved, approvals.ApprovalRejected
