"""/v1/events: what a partner's topics hold, for partners that do not speak Kafka: page by page from a cursor, or as it comes.

It needs no token: a partner is no user of the company's, and has a user and a password of its own.
"""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Header, Query, Request, Response

from partners import cursors
from partners.handing_out import HandOut, Stream
from partners.login import Asking
from partners.views import PartnerEventsView
from tailrace.http.protocol.strict import declared, public_router

router = public_router(tag="events", about="What a partner may hear of, for partners that do not speak Kafka.")

Cursor = Annotated[
    str | None,
    Query(max_length=cursors.LONGEST, description="`cursor` of the page before. Without it, from the beginning."),
]
AtMost = Annotated[int, Query(ge=1, le=1000, description="How many events a page has at most.")]
Wait = Annotated[
    int, Query(ge=0, le=30, description="For how many seconds the answer may wait for an event when there is none.")
]
Lasts = Annotated[
    int,
    Query(ge=0, le=3600, description="For how many seconds the stream lasts at most; 0 shows what there is, and ends."),
]
LastEvent = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        max_length=cursors.LONGEST,
        description="The `id` of the last event that one has; goes before `cursor`.",
    ),
]


@router.get("/v1/events", response_model=PartnerEventsView, responses=declared(401, 410, 429))
async def read_events(
    request: Request, who: Asking, cursor: Cursor = None, limit: AtMost = 500, wait: Wait = 0
) -> Response:
    """The partner's events behind a cursor. It logs in with its user and password at Kafka (HTTP Basic), and keeps the cursor."""
    places = cursors.read(who.partner_id, cursor, "cursor")
    found, after = await HandOut.of(request, who).page(places, limit, wait, request.is_disconnected)
    body = b'{"events":[' + b",".join(found) + b'],"cursor":"' + after.encode() + b'"}'
    return Response(body, media_type="application/json", headers={"Cache-Control": "no-store"})


@router.get("/v1/events/stream", response_class=Stream, response_model=None, responses=declared(401, 410, 429))
async def read_event_stream(
    request: Request, who: Asking, cursor: Cursor = None, last_event_id: LastEvent = None, seconds: Lasts = 3600
) -> Stream:
    """The partner's events as they come, as server-sent events: the type as `event`, the place as `id`, the CloudEvent as `data`. `event: end` says
    that one may come back; who names the last `id` misses none. Who was revoked, or has a new password, is let in no more."""
    field = "Last-Event-ID" if last_event_id else "cursor"
    places = cursors.read(who.partner_id, last_event_id or cursor, field)
    told = HandOut.of(request, who).stream(places, seconds)
    # What is wrong with the place or with Kafka is to be a problem, not a stream.
    first = await anext(told)

    async def whole() -> AsyncIterator[bytes]:
        yield first
        async for text in told:
            yield text

    answer = Stream(whole())
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Content-Disposition"] = 'attachment; filename="events.txt"'
    return answer
