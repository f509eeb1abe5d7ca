"""The log for a SIEM, a line for each record: ECS (Elastic Common Schema 8) as JSON lines, or CEF (ArcSight Common Event Format 0)."""

import json
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Select, select

from audit import masking
from audit.models import Content, Record
from contracts.access import Accessed
from tailrace.core.personal_data import REDACTED
from tailrace.db.database import Tx
from tailrace.verify.evidence import moment

Form = Literal["ecs", "cef"]
MEDIA_TYPES: dict[Form, str] = {"ecs": "application/x-ndjson", "cef": "text/plain"}
_AT_ONCE = 1000


async def lines(tx: Tx, form: Form, begin: datetime | None, end: datetime | None, *, pii: bool) -> AsyncIterator[str]:
    """The records of a time, `begin` included and `end` not, in the order of the log."""
    write, after = (_ecs if form == "ecs" else _cef), -1
    while True:
        rows = (await tx.execute(_page(after, begin, end))).all()
        if not rows:
            return
        yield "".join(write(record, _access(record, content, pii=pii)) + "\n" for record, content in rows)
        after = rows[-1][0].position
        tx.expunge_all()


def _page(after: int, begin: datetime | None, end: datetime | None) -> Select[Record, Content]:
    query = (
        select(Record, Content)
        .outerjoin(Content, (Content.position == Record.position) & (Record.type == Accessed.type))
        .where(Record.position > after)
    )
    if begin is not None:
        query = query.where(Record.occurred_at >= begin)
    if end is not None:
        query = query.where(Record.occurred_at < end)
    return query.order_by(Record.position).limit(_AT_ONCE)


def _access(record: Record, content: Content | None, *, pii: bool) -> dict[str, Any]:
    """What was asked at the gateway; nothing of other records."""
    if content is None:
        return {}
    said = masking.shown(record.type, content.data, pii=pii)
    return said if isinstance(said, dict) else {}


def _ecs(record: Record, access: dict[str, Any]) -> str:
    status = access.get("status")
    said: dict[str, Any] = {
        "@timestamp": moment(record.occurred_at),
        "ecs": {"version": "8.17.0"},
        "event": {
            "id": str(record.id),
            "kind": "event",
            "action": record.type,
            "dataset": f"tailrace.{record.topic}",
            "provider": record.service,
            "sequence": record.position,
            "hash": record.commitment.hex(),
            "outcome": "unknown" if status is None else "success" if status < 400 else "failure",
        },
        "organization": {"id": str(record.tenant_id)},
        "service": {"name": record.service},
        "tailrace": {
            "document": {"id": str(record.document_id), "sequence": record.sequence},
            "correlation": str(record.correlation_id),
            "cause": _text(record.causation_id),
        },
    }
    if record.actor_id is not None:
        said["user"] = {"id": record.actor_id}
    if access:
        said["http"] = {"request": {"method": access["method"]}, "response": {"status_code": status}}
        said["url"] = {"path": access["path"]}
        address = access.get("address")
        if address and address != REDACTED:
            said["source"] = {"ip": address}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))


def _cef(record: Record, access: dict[str, Any]) -> str:
    status = access.get("status")
    severity = "5" if status is not None and status >= 400 else "3"
    extension = {
        "rt": str(int(record.occurred_at.timestamp() * 1000)),
        "externalId": str(record.id),
        "suid": record.actor_id,
        "dproc": record.service,
        "cs1Label": "document",
        "cs1": str(record.document_id),
        "cs2Label": "correlation",
        "cs2": str(record.correlation_id),
        "cs3Label": "tenant",
        "cs3": str(record.tenant_id),
        "cn1Label": "position",
        "cn1": str(record.position),
        "requestMethod": access.get("method"),
        "request": access.get("path"),
        "outcome": _text(status),
        "src": None if access.get("address") == REDACTED else access.get("address"),
    }
    head = "|".join(map(_of_head, ("Tailrace", "audit", "1", record.type, record.type, severity)))
    told = " ".join(f"{name}={_of_extension(value)}" for name, value in extension.items() if value is not None)
    return f"CEF:0|{head}|{told}"


def _of_head(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ").replace("\r", " ")


def _of_extension(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=").replace("\r", "\\r").replace("\n", "\\n")


def _text(value: UUID | int | None) -> str | None:
    return None if value is None else str(value)
