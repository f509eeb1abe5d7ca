"""A log to speak into: events of any kind, with any cause, as Kafka would hand them over."""

import json
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from aiokafka import ConsumerRecord

from tailrace.core.events import publisher_of_topic, source_of
from tailrace.core.ids import uuid7
from tailrace_testing import Harness

AT = "/v1/audit"


@dataclass
class Scribe:
    """The harness, and what was said to it."""

    h: Harness
    said: dict[tuple[str, UUID], int] = field(default_factory=lambda: defaultdict(int))

    def event(
        self,
        type: str,
        document: UUID,
        *,
        cause: ConsumerRecord | UUID | None = None,
        correlation: UUID | None = None,
        topic: str = "order.events",
        tenant: UUID | None = None,
        actor: str | None = "",
        at: datetime | None = None,
        service: str = "",
        data: dict[str, Any] | None = None,
    ) -> ConsumerRecord:
        """The next event of a document. With a cause, its correlation and its actor are the cause's."""
        self.said[topic, document] += 1
        led = (
            {} if cause is None or isinstance(cause, UUID) else {name: value.decode() for name, value in cause.headers}
        )
        cause_id = led.get("ce_id") or (None if cause is None else str(cause))
        headers = {
            "ce_id": str(uuid7()),
            "ce_type": type,
            "ce_source": source_of(service or publisher_of_topic(topic) or "nobody"),
            "ce_subject": str(document),
            "ce_time": (at or datetime.now(UTC)).isoformat(),
            "ce_dataschema": f"urn:tailrace:schema:{type}:v1",
            "ce_specversion": "1.0",
            "content-type": "application/json",
            "ce_tenantid": str(tenant or self.h.tenant),
            "ce_sequence": str(self.said[topic, document]),
            "ce_epoch": "1",
            "ce_correlationid": str(correlation or led.get("ce_correlationid") or uuid7()),
            "ce_causationid": cause_id or "",
            "ce_actorid": led.get("ce_actorid", "")
            if actor == "" and led
            else str(self.h.user)
            if actor == ""
            else actor,
        }
        value = json.dumps(data if data is not None else {"number": self.said[topic, document]}).encode()
        told = {name: text for name, text in headers.items() if text}
        return self.h.record(topic, str(document).encode(), value, told)

    async def say(self, *records: ConsumerRecord) -> None:
        await self.h.redeliver(*records)

    async def fill(self, many: int, documents: int = 5, tenant: UUID | None = None) -> list[UUID]:
        """So many events, in turn of so many documents."""
        ids = [uuid7() for _ in range(documents)]
        await self.say(*(self.event("order.noted", ids[n % documents], tenant=tenant) for n in range(many)))
        return ids

    async def sign(self) -> dict[str, Any]:
        answer = await self.h.client.post(f"{AT}/heads")
        assert answer.status_code == 201, answer.text
        return dict(answer.json()["statement"])

    async def get(self, path: str, expected: int = 200, /, **query: Any) -> Any:
        answer = await self.h.client.get(path, params=query)
        assert answer.status_code == expected, answer.text
        return answer.json() if answer.headers["content-type"].startswith("application/json") else answer.text

    async def export(self) -> list[dict[str, Any]]:
        """The log as it is taken away: its head first, then every record."""
        text = (await self.h.client.get(f"{AT}/export")).text
        return [json.loads(line) for line in text.splitlines()]


def id_of(record: ConsumerRecord) -> UUID:
    return UUID(dict(record.headers)["ce_id"].decode())
