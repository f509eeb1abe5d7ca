"""/v1/audit and /v1/trace: the log, searched, drawn, proven and taken away."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Annotated, Any
from uuid import UUID

from fastapi import Query, Request, Response
from sqlalchemy import select
from starlette.responses import StreamingResponse

from audit import archiving, heads, masking, proofs, pruning, reports, siem
from audit import trace as traces
from audit.bodies import HoldBody, RetentionBody
from audit.drawing import draw
from audit.graphs import as_json
from audit.models import Content, Head, Hold, Record, Retention
from audit.refusals import NothingToSign
from audit.scopes import Manager, Reader, pii
from audit.subscribers import days
from audit.views import (
    BundleView,
    HeadView,
    HoldView,
    RecordSummary,
    RecordView,
    ReportView,
    RetentionView,
    StatusView,
    TraceView,
)
from tailrace.core.context import Context, Principal
from tailrace.core.errors import Stale
from tailrace.core.values.fields import MomentOrDay
from tailrace.http.etag import IfMatch
from tailrace.http.files.disposition import disposition
from tailrace.http.files.exports import text_answer
from tailrace.http.lists.filters import any_of, between, equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.masks import shows
from tailrace.http.routing import ReasonBody, Tx, tenant_router

_ABOUT = "Who did what, in a log that shows when it was tampered with."
router = tenant_router("/v1/audit", tag="audit", about=_ABOUT, reads=[days])
trace_router = tenant_router("/v1/trace", tag="traces", about="From a click to the journal line, and back.")

Records = Annotated[
    PageRequest,
    listed(
        Record,
        any_of(Record.type),
        equal(Record.topic),
        equal(Record.service),
        equal(Record.actor_id),
        equal(Record.document_id),
        equal(Record.correlation_id),
        equal(Record.causation_id),
        *between(Record.occurred_at, days),
        sort=[Record.position, Record.occurred_at],
        default="position",
    ),
]
Heads = Annotated[PageRequest, listed(Head, sort=[Head.number], default="-number")]
Holds = Annotated[PageRequest, listed(Hold, equal(Hold.document_id))]
From = Annotated[
    MomentOrDay | None,
    Query(
        alias="from",
        description="This moment, or this day of the company's, or later; from the beginning, when left out.",
    ),
]
Until = Annotated[
    MomentOrDay | None,
    Query(description="Before this moment, or this day of the company's; to the end, when left out."),
]
Since = Annotated[MomentOrDay, Query(alias="from", description="This moment, or this day of the company's, or later.")]
Before = Annotated[MomentOrDay, Query(description="Before this moment, or this day of the company's.")]


class Picture(Response):
    """An SVG, which a browser saves and does not show."""

    media_type = "image/svg+xml"


class Lines(StreamingResponse):
    """JSON, a value a line."""

    media_type = "application/x-ndjson"


class Table(Response):
    """Rows, which a browser saves and does not show."""

    media_type = "text/csv"


def _saved_as(name: str) -> dict[str, str]:
    return {"Content-Disposition": disposition(name)}


def _snapshot(request: Request, who: Principal) -> tuple[Any, Context]:
    return request.app.state.database, Context(who.tenant_id, who.user_id)


@router.get("", response_model=StatusView)
async def read_audit_log(tx: Tx, who: Reader) -> dict[str, Any]:
    """How long the log is, and how much of it is signed."""
    log, head = await heads.log_of(tx), await heads.newest(tx)
    size, signed, documents = (0, 0, 0) if log is None else (log.size, log.signed, log.documents)
    return {"size": size, "signed": signed, "documents": documents, "head": head}


@router.get("/records", response_model=Page[RecordSummary])
async def list_audit_records(tx: Tx, who: Reader, page: Records) -> Listing[Record]:
    """Records, by who, what, when, document, request or cause."""
    return await paginate(tx, select(Record), page)


@router.get("/records/{record_id}", response_model=RecordView)
async def read_audit_record(tx: Tx, who: Reader, record_id: UUID) -> dict[str, Any]:
    """One record, with what it said."""
    record = await tx.find(Record, record_id)
    content = await tx.scalar(select(Content).where(Content.position == record.position))
    summary = RecordSummary.model_validate(record, from_attributes=True).model_dump()
    return {
        **summary,
        "epoch": record.epoch,
        "schema_version": record.schema,
        "prev": record.prev.hex(),
        "commitment": record.commitment.hex(),
        "data": None if content is None else masking.shown(record.type, content.data, pii=False),
        "data_in_full": None if content is None else masking.shown(record.type, content.data, pii=True),
        "archive_id": None if content is not None else await archiving.archive_of(tx, record.position),
    }


@router.get("/heads", response_model=Page[HeadView])
async def list_audit_heads(tx: Tx, who: Reader, page: Heads) -> Listing[Head]:
    """Signed heads, the newest first."""
    return await paginate(tx, select(Head), page)


@router.post("/heads", status_code=201, response_model=HeadView)
async def create_audit_head(tx: Tx, who: Manager) -> Head:
    """Have the log signed now, rather than within a minute. 409 when the newest head covers all there is."""
    head = await heads.sign(tx)
    if head is None:
        raise NothingToSign("The newest head covers all there is.")
    return head


@router.get("/heads/{head_id}", response_model=HeadView)
async def read_audit_head(tx: Tx, who: Reader, head_id: UUID) -> Head:
    """One head, as it was signed."""
    return await proofs.head_of(tx, head_id)


@router.get("/documents/{document_id}/bundle", response_model=BundleView)
async def read_audit_bundle(
    tx: Tx,
    who: Reader,
    document_id: UUID,
    topic: Annotated[
        str | None, Query(max_length=200, description="Where an id is a document's on two topics, which one is meant.")
    ] = None,
    known_size: Annotated[
        int | None,
        Query(ge=1, le=2**53, description="The size of a head from before, to prove that the log continues it."),
    ] = None,
) -> BundleView:
    """All records of a document with what proves, offline, that they are all and unchanged: `tailrace verify --document … --bundle …`."""
    return await proofs.bundle(tx, document_id, topic, known_size, pii=shows(pii))


@router.get("/export", response_class=Lines, response_model=None)
async def read_audit_export(request: Request, who: Reader) -> StreamingResponse:
    """The whole log up to the newest head, a line for each record: `tailrace verify --export …` checks it, offline."""
    seen = shows(pii)

    async def lines(tx: Tx) -> AsyncIterator[str]:
        async for each in proofs.export(tx, pii=seen):
            yield json.dumps(each, ensure_ascii=False, separators=(",", ":")) + "\n"

    return text_answer(*_snapshot(request, who), lines, Lines.media_type, "audit-log.jsonl")


_FORMS: dict[int | str, dict[str, Any]] = {
    200: {"content": {siem.MEDIA_TYPES["cef"]: {"schema": {"type": "string"}}}},
}


@router.get("/siem", response_class=Lines, response_model=None, responses=_FORMS)
async def read_audit_siem(
    tx: Tx,
    request: Request,
    who: Reader,
    form: Annotated[siem.Form, Query(description="`ecs`: JSON lines. `cef`: lines of text.")] = "ecs",
    begin: From = None,
    until: Until = None,
) -> StreamingResponse:
    """Records for a SIEM, in the order of the log."""
    first, end = [None if given is None else await days.begin_of(tx, given) for given in (begin, until)]
    lines = partial(siem.lines, form=form, begin=first, end=end, pii=shows(pii))
    return text_answer(*_snapshot(request, who), lines, siem.MEDIA_TYPES[form], f"audit.{form}")


@router.get("/report", response_model=ReportView)
async def read_audit_report(tx: Tx, who: Reader, begin: Since, until: Before) -> ReportView:
    """Who did how much of what, by day of the company's."""
    return await reports.report(tx, await days.calendar(tx), begin, until)


@router.get("/report.csv", response_class=Table, response_model=None)
async def read_audit_report_table(tx: Tx, who: Reader, begin: Since, until: Before) -> Table:
    """The same, as CSV."""
    return Table(
        reports.as_csv(await reports.report(tx, await days.calendar(tx), begin, until)),
        headers=_saved_as("audit-report.csv"),
    )


@router.get("/retention", response_model=RetentionView)
async def read_audit_retention(tx: Tx, who: Reader) -> Retention:
    """How long contents are kept."""
    return await pruning.policy(tx)


@router.put("/retention", response_model=RetentionView)
async def replace_audit_retention(tx: Tx, who: Manager, match: IfMatch, body: RetentionBody) -> Retention:
    """Keep contents for another time. Hashes and proofs stay in any case."""
    policy = await tx.scalar(select(Retention).with_for_update()) or Retention.default(tx.tenant_id)
    if match is not None and match != (policy.version or 0):
        raise Stale(match, policy.version or 0)
    policy.replace(body.days, body.access_days, body.archive_days)
    tx.add(policy)
    return policy


@router.post("/holds", status_code=201, response_model=HoldView)
async def create_audit_hold(tx: Tx, who: Manager, body: HoldBody) -> Hold:
    """Keep contents whatever the retention says. 422 for a document that the log does not know."""
    if body.document_id is not None:
        await proofs.ensure_known(tx, body.document_id)
    hold = Hold.place(body.reason, body.document_id)
    tx.add(hold)
    await archiving.mind_holds(tx)
    return hold


@router.get("/holds", response_model=Page[HoldView])
async def list_audit_holds(tx: Tx, who: Reader, page: Holds) -> Listing[Hold]:
    """Holds, released ones too."""
    return await paginate(tx, select(Hold), page)


@router.get("/holds/{hold_id}", response_model=HoldView)
async def read_audit_hold(tx: Tx, who: Reader, hold_id: UUID) -> Hold:
    """One hold."""
    return await tx.find(Hold, hold_id)


@router.post("/holds/{hold_id}/release", response_model=HoldView)
async def release_audit_hold(tx: Tx, who: Manager, match: IfMatch, hold_id: UUID, body: ReasonBody) -> Hold:
    """Let the retention hold again."""
    hold = await tx.load(Hold, hold_id, match)
    hold.release(body.reason, datetime.now(UTC))
    await archiving.mind_holds(tx)
    return hold


@trace_router.get("/{trace_id}.svg", response_class=Picture, response_model=None)
async def read_trace_picture(tx: Tx, who: Reader, trace_id: UUID) -> Picture:
    """The same, drawn: a lane for each service, causes on the left."""
    return Picture(draw(await traces.trace(tx, trace_id)), headers=_saved_as(f"trace-{trace_id}.svg"))


@trace_router.get("/{trace_id}", response_model=TraceView)
async def read_trace(tx: Tx, who: Reader, trace_id: UUID) -> Response:
    """From a request, an event or a document: what led to it and what followed, complete, or what is missing."""
    return Response(as_json(await traces.trace(tx, trace_id)), media_type="application/json")
