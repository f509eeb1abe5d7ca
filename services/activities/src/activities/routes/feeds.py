"""/v1/calendar-feeds: one's own meetings and tasks for a calendar program, by a secret link that can be taken back."""

from typing import Annotated
from uuid import UUID

from fastapi import Request
from sqlalchemy import select

from activities.bodies import CalendarFeedBody
from activities.feeds import CalendarFeed, Links
from activities.scopes import FeedKeeper
from activities.views import CalendarFeedView, CalendarLinkView
from tailrace.core.context import Principal
from tailrace.core.errors import Unknown
from tailrace.db.database import Tx as Transaction
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router

PUBLIC = "/v1/calendar-feeds/public"

router = tenant_router(
    "/v1/calendar-feeds",
    tag="calendar feeds",
    about="One's own meetings and tasks, for a calendar program to read by a secret link.",
)
Feeds = Annotated[PageRequest, listed(CalendarFeed, equal(CalendarFeed.revoked))]


@router.post("", status_code=201, response_model=CalendarFeedView)
async def create_calendar_feed(request: Request, tx: Tx, who: FeedKeeper, body: CalendarFeedBody) -> CalendarFeed:
    """Let one's own meetings and tasks be read by a secret link."""
    links = Links(request.app.state.settings)
    feed = CalendarFeed.open(who.user_id, tx.tenant_id, body.name, sorted(set(body.includes)), links)
    tx.add(feed)
    return feed


@router.get("", response_model=Page[CalendarFeedView])
async def list_calendar_feeds(tx: Tx, who: FeedKeeper, page: Feeds) -> Listing[CalendarFeed]:
    """One's own feeds, those that were revoked too."""
    return await paginate(tx, select(CalendarFeed).where(CalendarFeed.user_id == who.user_id), page)


@router.get("/{feed_id}", response_model=CalendarFeedView)
async def read_calendar_feed(tx: Tx, who: FeedKeeper, feed_id: UUID) -> CalendarFeed:
    """One of one's own feeds."""
    return await tx.find(CalendarFeed, feed_id, CalendarFeed.user_id == who.user_id)


@router.get("/{feed_id}/link")
async def read_calendar_link(request: Request, tx: Tx, who: FeedKeeper, feed_id: UUID) -> CalendarLinkView:
    """The secret link of a feed, for one's own calendar program alone. 404 once it was revoked."""
    feed = await tx.find(CalendarFeed, feed_id, CalendarFeed.user_id == who.user_id)
    feed.ensure_open()
    return CalendarLinkView(path=f"{PUBLIC}/{Links(request.app.state.settings).token(feed)}.ics")


@router.post("/{feed_id}/renew", response_model=CalendarFeedView)
async def renew_calendar_link(request: Request, tx: Tx, who: FeedKeeper, match: IfMatch, feed_id: UUID) -> CalendarFeed:
    """Have another link. The one before leads nowhere from here on."""
    feed = await _own(tx, who, feed_id, match)
    feed.renew(Links(request.app.state.settings))
    return feed


@router.delete("/{feed_id}", status_code=204)
async def delete_calendar_feed(tx: Tx, who: FeedKeeper, match: IfMatch, feed_id: UUID) -> None:
    """Revoke a feed: its link leads nowhere from here on."""
    (await _own(tx, who, feed_id, match)).revoke()


async def _own(tx: Transaction, who: Principal, id: UUID, match: int | None) -> CalendarFeed:
    feed = await tx.load(CalendarFeed, id, match)
    if feed.user_id != who.user_id:
        raise Unknown("CalendarFeed", id)
    return feed
