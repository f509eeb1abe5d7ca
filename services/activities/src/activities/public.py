"""What a calendar program reads by a feed's link, without a log-in. The link says whose feed it is; each transaction acts for that tenant."""

from fastapi import APIRouter, Request, Response

from activities.calendars import calendar_of
from activities.copies import UserCopy
from activities.feeds import CalendarFeed, Token, Turnstile
from activities.routes.feeds import PUBLIC
from tailrace.core.context import Context
from tailrace.core.errors import Unknown
from tailrace.db.database import Database
from tailrace.http.protocol.strict import declared, public_router
from tailrace.observability import tracing

router: APIRouter = public_router(tag="calendars", about="A user's calendar, by a link that is a secret.")
_turnstile = Turnstile()


class CalendarFile(Response):
    """A calendar (RFC 5545), which a browser saves and does not show."""

    media_type = "text/calendar"


@router.get(f"{PUBLIC}/{{token}}", response_class=CalendarFile, response_model=None, responses=declared(404, 429))
async def read_calendar(request: Request, token: str) -> CalendarFile:
    """The user's own meetings and tasks. 404 once the link was taken back, or its user is gone."""
    said = Token.read(token.removesuffix(".ics"))
    database: Database = request.app.state.database
    trace = tracing.traceparent(request.state.trace)
    context = Context(said.tenant_id, correlation_id=request.state.correlation_id, traceparent=trace)
    async with database.transaction(context, read_only=True) as tx:
        feed = await tx.get(CalendarFeed, (said.tenant_id, said.feed_id))
        if feed is None or not feed.opens(said.secret):
            raise Unknown("calendar feed", "of this link")
        user = await tx.get(UserCopy, (said.tenant_id, feed.user_id))
        if user is not None and not user.active:
            raise Unknown("calendar feed", "of this link")
        _turnstile.pass_through(feed.id)
        tx.narrow({feed.user_id})
        content = await calendar_of(tx, feed)
    made = CalendarFile(content)
    made.headers["Content-Disposition"] = 'attachment; filename="calendar.ics"'
    made.headers["Cache-Control"] = "no-store"
    made.headers["Referrer-Policy"] = "no-referrer"
    return made
