"""One journal for each topic, so that what one topic calls a document is never taken for another's of the same id; how documents are linked,
and the company's days."""

from collections.abc import Sequence

from audit import links as document_links
from audit import log
from audit.models import Base, DocumentLink
from contracts.access import Accessed
from contracts.registry import events_by_type, topics
from contracts.users import TenantCreated, TenantTimeZoneChanged
from tailrace.db.database import Tx
from tailrace.messaging.days import Days
from tailrace.messaging.subscribers import Delivery, Journal, Projection

_KNOWN = {Accessed.topic: (Accessed,)}
"""What no service's outbox publishes: the gateway tells of it."""

journals = tuple(Journal(f"audit.{topic}", topic, log.keep, known=_KNOWN.get(topic, ())) for topic in topics())
days = Days("audit.days", Base.metadata, TenantCreated, TenantTimeZoneChanged)
links = Projection("audit.links", tables=[DocumentLink])


@links.batch(*(event for event in events_by_type().values() if event.comes_of or event.serves))
async def keep_links(tx: Tx, deliveries: Sequence[Delivery]) -> None:
    await document_links.keep(tx, deliveries)
