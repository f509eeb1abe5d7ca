"""The tables that the kit keeps in every service's database. `Tenant` tables are under row-level security; `platform` ones hold routing data only."""

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from tailrace.db.table_naming import NAMING, TIME, metadata
from tailrace.db.work_tables import (
    errand,
    errand_turn,
    job,
    job_mark,
    job_piece,
    job_queue,
    schedule_expression,
    timer_payload,
)

__all__ = [
    "NAMING",
    "PLATFORM",
    "TENANT",
    "attachment",
    "attachment_content",
    "database_history",
    "dead_letter",
    "document_number",
    "dropped",
    "errand",
    "errand_turn",
    "idempotency",
    "inbox",
    "job",
    "job_mark",
    "job_piece",
    "job_queue",
    "metadata",
    "outbox",
    "redriven",
    "saga",
    "saga_step",
    "schedule_expression",
    "search_entry",
    "snapshot",
    "timer",
    "timer_payload",
    "upload",
]

outbox = Table(
    "outbox",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("topic", Text, nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False, server_default="1"),
    Column("type", Text, nullable=False),
    Column("schema_version", SmallInteger, nullable=False),
    Column("dataschema", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("causation_id", Uuid),
    Column("actor_id", Text),
    Column("traceparent", Text),
    Column("recorded_at", TIME, nullable=False, server_default=func.now()),
    Column("payload", Text, nullable=False),
    UniqueConstraint("aggregate_id", "sequence"),
    Index("ix_outbox_recorded_at", "recorded_at"),
)

idempotency = Table(
    "idempotency",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("user_id", Uuid, primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("request_hash", LargeBinary(32), nullable=False),
    Column("status", SmallInteger, nullable=False),
    Column("headers", JSONB, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("created_at", TIME, nullable=False, server_default=func.now()),
    Index("ix_idempotency_created_at", "created_at"),
)

snapshot = Table(
    "stream_snapshot",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("stream_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("shape", Integer, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("state", JSONB, nullable=False),
)

saga = Table(
    "saga",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("saga", Text, primary_key=True),
    Column("key", Uuid, primary_key=True),
    Column("state", Text, nullable=False),
    Column("data", JSONB, nullable=False),
    Column("deadline", TIME),
    Column("steps", Integer, nullable=False, server_default="0"),
    Column("started_at", TIME, nullable=False, server_default=func.now()),
    Column("changed_at", TIME, nullable=False, server_default=func.now()),
)

saga_step = Table(
    "saga_step",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("saga", Text, primary_key=True),
    Column("key", Uuid, primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("from_state", Text),
    Column("to_state", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("event_id", Uuid),
    Column("at", TIME, nullable=False, server_default=func.now()),
)

document_number = Table(
    "document_number",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("series", Text, primary_key=True),
    Column("last", BigInteger, nullable=False),
)
"""The last number given to a kind of document in a series (`tailrace.db.numbers`)."""

inbox = Table(
    "inbox",
    metadata,
    Column("subscriber", Text, primary_key=True),
    Column("aggregate_id", Uuid, primary_key=True),
    Column("epoch", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
)

dead_letter = Table(
    "dead_letter",
    metadata,
    Column("subscriber", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("aggregate_id", Uuid),
    Column("epoch", Integer),
    Column("sequence", BigInteger),
    Column("tenant_id", Uuid),
    Column("type", Text),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("dead_lettered_at", TIME, nullable=False, server_default=func.now()),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("redriven_at", TIME),
    Index("ix_dead_letter_in_sequence", "subscriber", "aggregate_id", "epoch", "sequence"),
)
"""`attempts` and `redriven_at`: how often, and when last, a redrive tried this event in vain."""

dropped = Table(
    "dropped",
    metadata,
    Column("subscriber", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("partition", Integer, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("dropped_at", TIME, primary_key=True, server_default=func.now()),
    Column("aggregate_id", Uuid),
    Column("epoch", Integer),
    Column("sequence", BigInteger),
    Column("tenant_id", Uuid),
    Column("type", Text),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("dead_lettered_at", TIME, nullable=False),
    Column("because", Text, nullable=False),
    Column("dropped_by", Text, nullable=False),
)
"""Dead letters that were given up, with `because`; never changed."""

redriven = Table(
    "redriven",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("subscriber", Text, nullable=False),
    Column("topic", Text, nullable=False),
    Column("partition", Integer, nullable=False),
    Column("offset", BigInteger, nullable=False),
    Column("aggregate_id", Uuid, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("tenant_id", Uuid),
    Column("type", Text),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("because", Text, nullable=False),
    Column("redriven_by", Text, nullable=False),
    Column("began_at", TIME, nullable=False, server_default=func.now()),
    Column("ended_at", TIME),
    Column("applied", Integer, nullable=False, server_default="0"),
    Column("duplicates", Integer, nullable=False, server_default="0"),
    Column("stopped_at", BigInteger),
    Column("stopped_kind", Text),
    Column("stopped_reason", Text),
    Index("ix_redriven_subscriber_aggregate_id", "subscriber", "aggregate_id"),
)
"""Redrives that a person asked for: the event that stood first, why it was a dead letter, why it was redriven, and what that came to.
`stopped_at` is the sequence at which it stopped; without `ended_at` it was cut off."""

timer = Table(
    "timer",
    metadata,
    Column("name", Text, primary_key=True),
    Column("key", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("due_at", TIME, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("causation_id", Uuid),
    Column("traceparent", Text),
    Index("ix_timer_due_at", "due_at"),
)

search_entry = Table(
    "search_entry",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("by", Text, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("marks", ARRAY(BigInteger), nullable=False),
    Index("ix_search_entry_marks", "marks", postgresql_using="gin"),
)
"""By what a row is found: hashes that mean nothing without the tenant and the text (`tailrace.db.text_search.search`)."""

attachment = Table(
    "attachment",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("owner_id", Uuid, nullable=False),
    Column("came_from", ARRAY(Uuid), nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("content_version", Integer, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("created_at", TIME, nullable=False, server_default=func.now()),
    Column("updated_at", TIME, nullable=False, server_default=func.now()),
    Column("deleted_at", TIME),
    Index("ix_attachment_owner", "tenant_id", "kind", "owner_id", "id"),
)
"""Files of something that the service keeps, as they are now (`tailrace.storage`). `came_from`: the owners that it had before, oldest first, and
was taken over from because they stand for another now."""

attachment_content = Table(
    "attachment_content",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("attachment_id", Uuid, nullable=False),
    Column("content_version", Integer, nullable=False),
    Column("object_key", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("media_type", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("added_at", TIME, nullable=False, server_default=func.now()),
    Column("added_by", Uuid),
    ForeignKeyConstraint(["tenant_id", "attachment_id"], ["attachment.tenant_id", "attachment.id"]),
    UniqueConstraint("tenant_id", "attachment_id", "content_version"),
)
"""Each version of the content of an attachment, and where it lies in the object store; never changed."""

upload = Table(
    "upload",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("object_key", Text, nullable=False),
    Column("began_at", TIME, nullable=False, server_default=func.now()),
    Column("swept_at", TIME),
    Index("ix_upload_began_at", "began_at"),
)
"""Objects that are being written, or were and belong to nothing: a row goes in the transaction that makes its object somebody's content."""

TENANT = (
    outbox,
    idempotency,
    snapshot,
    saga,
    saga_step,
    document_number,
    timer_payload,
    schedule_expression,
    errand,
    attachment,
    attachment_content,
    job,
    job_piece,
    job_mark,
)
database_history = Table(
    "database_history",
    metadata,
    Column("epoch", Integer, primary_key=True),
    Column("found_at", TIME, nullable=False, server_default=func.now()),
    Column("reason", Text, nullable=False),
    Column("lost", BigInteger),
    Column("accepted_at", TIME),
    Column("accepted_because", Text),
)
"""Each time that this database was found to be behind what Kafka had of it (`tailrace.capture.restored`). Nothing is written until it is accepted."""

PLATFORM = (
    inbox,
    dead_letter,
    dropped,
    redriven,
    timer,
    errand_turn,
    search_entry,
    upload,
    job_queue,
    database_history,
)
