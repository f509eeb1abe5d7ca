"""/v1/notifications: one's own feed, as a list and as it comes; and telling others."""

import time
from typing import Annotated, Any
from uuid import UUID

from fastapi import Header, Query, Request
from sqlalchemy import select

from notifications import catalogue, commands
from notifications.bodies import NotificationBody, PreferencesBody
from notifications.feed import Feed, Live
from notifications.kinds import KindName
from notifications.models import MailboxPlace, Notification
from notifications.projections import customers, days, documents, roles, users
from notifications.reactions import news
from notifications.scopes import Reader, Sender, Writer
from notifications.views import (
    AllReadView,
    NewsCatalogueView,
    NewsKindView,
    NotificationView,
    PreferencesView,
    ToldView,
    UnreadView,
)
from tailrace.core.context import Context
from tailrace.http.auth import Verifier, bearer_token
from tailrace.http.lists.filters import any_of, between, by_id, equal, where
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/notifications",
    tag="notifications",
    about="What one is told, in the feed and by other ways, and how one wants to hear.",
    reads=[news, users, roles, customers, documents, days],
)


def _read(wanted: bool) -> Any:
    return Notification.is_read() if wanted else ~Notification.is_read()


Notifications = Annotated[
    PageRequest,
    listed(
        Notification,
        by_id(Notification),
        any_of(Notification.kind, KindName),
        equal(Notification.document_id),
        equal(Notification.customer_id),
        equal(Notification.urgent),
        where("read", bool, _read, "Those that one has seen, or all others."),
        *between(Notification.told_at, days),
        sort=[Notification.told_at],
        default="-id",
    ),
]
AtMost = Annotated[int, Query(ge=1, le=200, description="How many are shown at most; all are counted.")]
Lasts = Annotated[
    int,
    Query(ge=0, le=3600, description="For how many seconds the stream lasts at most; 0 shows what there is, and ends."),
]
After = Annotated[
    int | None,
    Header(
        alias="Last-Event-ID",
        ge=0,
        le=2**63 - 1,
        description="The `id` of the last event that one has: what came behind it is shown first. Without it, what comes from now on.",
    ),
]


@router.post("", status_code=201)
async def create_notification(tx: Tx, who: Sender, body: NotificationBody) -> ToldView:
    """Tell people something, by name or by role: each of them once, and nobody else. A role that is not there is refused."""
    id, told = await commands.tell(tx, who, body)
    return ToldView(id=id, told=told)


@router.get("", response_model=Page[NotificationView])
async def list_notifications(tx: Tx, who: Reader, page: Notifications) -> Listing[Notification]:
    """One's own notifications, the newest first."""
    return await paginate(tx, select(Notification).where(*commands.shown_to(who)), page)


@router.get("/unread", response_model=UnreadView)
async def read_unread_notifications(tx: Tx, who: Reader, limit: AtMost = 20) -> dict[str, Any]:
    """How many notifications one has not seen, and the newest of them."""
    unread = select(Notification).where(*commands.shown_to(who), ~Notification.is_read())
    newest = await tx.scalars(unread.order_by(Notification.place.desc()).limit(limit))
    return {"count": await commands.unread(tx, who), "items": list(newest)}


@router.get("/stream", response_class=Live, response_model=None)
async def read_notification_stream(
    request: Request, tx: Tx, who: Reader, last_event_id: After = None, seconds: Lasts = 3600
) -> Live:
    """One's own notifications as they come, as server-sent events: `event: notification`, its place as `id`, and what the list shows of it as `data`.
    Who names the last one that they have misses none. `event: end` says that one may come back, with a new token where the old one is over."""
    state = request.app.state
    verifier: Verifier = state.verifier
    expires = float((await verifier.claims(bearer_token(request)))["exp"])
    context = Context(who.tenant_id, who.user_id, request.state.correlation_id)
    until = min(time.time() + seconds, expires)
    feed = Feed(state.database, state.ear, state.stopping, context, who.user_id, until)
    after = await MailboxPlace.last(tx, who.user_id) if last_event_id is None else last_event_id
    answer = Live(feed.stream(after))
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["X-Accel-Buffering"] = "no"
    answer.headers["X-Content-Type-Options"] = "nosniff"
    # A page's script reads it; somebody who opens the address is to see no page.
    answer.headers["Content-Disposition"] = 'attachment; filename="notifications.txt"'
    return answer


@router.get("/kinds")
async def read_notification_kinds(tx: Tx, who: Reader) -> NewsCatalogueView:
    """What there is to hear of."""
    said = [NewsKindView(kind=each.name, scope=each.scope, urgent=each.urgent) for each in catalogue.CATALOGUE]
    return NewsCatalogueView(kinds=said)


@router.get("/preferences", response_model=PreferencesView)
async def read_preferences(tx: Tx, who: Reader) -> PreferencesBody:
    """How one wants to hear."""
    return await commands.preferences(tx, who)


@router.put("/preferences", response_model=PreferencesView)
async def replace_preferences(tx: Tx, who: Writer, body: PreferencesBody) -> PreferencesBody:
    """Say how one wants to hear; all of it. What waits already goes as it was to go."""
    return await commands.prefer(tx, who, body)


@router.patch("/read-all")
async def change_all_to_read(tx: Tx, who: Writer) -> AllReadView:
    """Mark all of one's notifications as seen, up to the newest."""
    return AllReadView(count=await commands.read_all(tx, who))


@router.patch("/{notification_id}/read", response_model=NotificationView)
async def change_notification_to_read(tx: Tx, who: Writer, notification_id: UUID) -> Notification:
    """Mark one of one's own notifications as seen."""
    return await commands.read(tx, who, notification_id)


@router.delete("/{notification_id}", status_code=204)
async def delete_notification(tx: Tx, who: Writer, notification_id: UUID) -> None:
    """Take one of one's own notifications away."""
    await commands.delete(tx, who, notification_id)
