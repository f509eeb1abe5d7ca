"""One journal for each topic there is, so that what one topic calls a document is never taken for another's of the same id."""

from audit import log
from audit.contexts import topics
from contracts.access import Accessed
from tailrace.messaging.subscribers import Journal

_KNOWN = {Accessed.topic: (Accessed,)}
"""What no service's outbox publishes: the gateway tells of it."""

journals = tuple(Journal(f"audit.{topic}", topic, log.keep, known=_KNOWN.get(topic, ())) for topic in topics())
