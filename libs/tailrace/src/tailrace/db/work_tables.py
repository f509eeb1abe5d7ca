"""The tables of what a service does later, by the clock or elsewhere: payloads of timers, schedules, calls to others, jobs. A part of `tables`."""

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, SmallInteger, Table, Text, Uuid, func
from sqlalchemy.dialects.postgresql import JSONB

from tailrace.db.table_naming import TIME, metadata

timer_payload = Table(
    "timer_payload",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("key", Uuid, primary_key=True),
    Column("version", SmallInteger, nullable=False),
    Column("payload", JSONB, nullable=False),
)
"""What a timer carries (`tailrace.core.payload`): apart from the timer, which is read before a tenant is known."""

schedule_expression = Table(
    "schedule_expression",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("expression", Text, nullable=False),
)
"""When a schedule runs for one tenant, where that differs from what the service says (`tailrace.messaging.schedules`)."""

errand = Table(
    "errand",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("request", JSONB, nullable=False),
    Column("body", LargeBinary),
    Column("about_version", SmallInteger),
    Column("about", JSONB),
    Column("answer", JSONB),
    Column("answer_body", LargeBinary),
    Column("asked_at", TIME, nullable=False, server_default=func.now()),
    Column("deadline", TIME, nullable=False),
    Column("tried_at", TIME),
    Column("last_error", Text),
    Column("correlation_id", Uuid, nullable=False),
    Column("causation_id", Uuid),
    Column("traceparent", Text),
)
"""A call to make (`tailrace.errands`); gone with the transaction that its outcome is applied in. `answer` is set when only that is left to do.
`last_error` is a word for why the last try settled nothing."""

errand_turn = Table(
    "errand_turn",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("name", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("due_at", TIME, nullable=False),
    Column("taken", Integer, nullable=False, server_default="0"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Index("ix_errand_turn_due_at", "due_at"),
    Index("ix_errand_turn_tenant_id_due_at", "tenant_id", "due_at"),
)
"""When each errand is next to be tried, or was promised to be over with; `taken` rises with each taking, so that who was late is told apart."""

job = Table(
    "job",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("user_id", Uuid, nullable=False),
    Column("state", Text, nullable=False),
    Column("parameters", JSONB, nullable=False),
    Column("checkpoint", JSONB, nullable=False),
    Column("done", BigInteger, nullable=False, server_default="0"),
    Column("total", BigInteger),
    Column("counts", JSONB, nullable=False),
    Column("messages", JSONB, nullable=False),
    Column("correlation_id", Uuid, nullable=False),
    Column("traceparent", Text),
    Column("created_at", TIME, nullable=False, server_default=func.now()),
    Column("updated_at", TIME, nullable=False, server_default=func.now()),
    Column("ended_at", TIME),
    Index("ix_job_tenant_id_user_id_id", "tenant_id", "user_id", "id"),
    Index("ix_job_tenant_id_user_id_created_at_id", "tenant_id", "user_id", "created_at", "id"),
)
"""Long work (`tailrace.jobs`): what was asked for, how far it is, and what there is to say of it."""

job_piece = Table(
    "job_piece",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("job_id", Uuid, primary_key=True),
    Column("name", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)
"""What a job works on and what it makes, cut into pieces: rows that are to be imported, those that were refused, a file to fetch."""

job_mark = Table(
    "job_mark",
    metadata,
    Column("tenant_id", Uuid, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("key", LargeBinary(32), primary_key=True),
    Column("digest", LargeBinary(32), nullable=False),
    Column("at", TIME, nullable=False, server_default=func.now()),
)
"""What a kind of job did once and does not do again: digests of what names it and of what it was."""

job_queue = Table(
    "job_queue",
    metadata,
    Column("id", Uuid, primary_key=True),
    Column("tenant_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("due_at", TIME, nullable=False, server_default=func.now()),
    Column("leased_until", TIME),
    Column("fence", BigInteger, nullable=False, server_default="0"),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("ended", Boolean, nullable=False, server_default="false"),
    Index("ix_job_queue_tenant_id_due_at", "tenant_id", "due_at"),
    Index("ix_job_queue_due_at", "due_at"),
)
"""Which jobs there are to go on with, of all tenants, and who does: a lease until then, under a number that rises with each."""
