"""What leaves the feed: at once, with a digest, at the end of quiet hours or of a storm; what goes to one target and is due goes together, once.

A delivery is a row. Its message is an errand, asked for in the transaction that takes the row: so it is sent if and only if that commits, and tried
again under the same key until it arrives or its day is over. What did not arrive stays as a row that says why, and can be sent again; the feed has it
all the while.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from fastapi import FastAPI
from sqlalchemy import bindparam, func, select

from notifications import formats, wording
from notifications.catalogue import BY_NAME
from notifications.copies import UserCopy
from notifications.kinds import Language
from notifications.models import Delivery, Notification, NotificationChannel, Way
from tailrace.core import clock
from tailrace.core.ids import derived_id
from tailrace.core.payload import Payload
from tailrace.db.database import Tx
from tailrace.db.per_database import PerDatabase
from tailrace.errands.calls import Call
from tailrace.errands.errands import Errand, Outcome
from tailrace.errands.partners import partner_of
from tailrace.errands.secrets import Secret
from tailrace.messaging.timers import Timer
from tailrace.settings import Settings

MAIL_SERVER = "smtp"
"""What `TAILRACE_PARTNERS` calls it."""
STORM = 5
"""So many of one kind stand by themselves within `STORM_LASTS`; what is more is folded into one."""
STORM_LASTS = timedelta(minutes=10)
AT_ONCE = 50
"""So many deliveries stand in one message at most."""
_LOOK_AGAIN, _AWAITED = timedelta(seconds=5), timedelta(hours=1)
"""Who is new is told of by another topic: their address is looked for again so often, and so long."""
_HOLD = select(func.pg_advisory_xact_lock(func.hashtextextended(bindparam("target"), 0)))
_settings: PerDatabase[Settings] = PerDatabase()


class Target(Payload):
    """Where to: a user's mail, or a channel."""

    way: Way
    user_id: UUID | None = None
    channel_id: UUID | None = None

    @property
    def id(self) -> UUID:
        return derived_id("delivery", self.way, self.channel_id or self.user_id)


class Sending(Payload):
    """How many deliveries a message holds; which, they know by the errand's id."""

    count: int


@dataclass(frozen=True)
class What:
    """The words of a delivery."""

    kind: str
    language: Language
    title: str
    text: str
    link: str | None
    notification_id: UUID | None = None


due = Timer("notifications.due", carries=Target)
sending = Errand("notifications.sending", about=Sending, timeout=20, deadline=timedelta(hours=24), largest=64 * 1024)


async def prepare(app: FastAPI, settings: Settings) -> None:
    """Before anything is served or fired."""
    _settings.keep(app.state.database, settings)


def to_user(user_id: UUID) -> Target:
    return Target(way="email", user_id=user_id)


def to_channel(channel: NotificationChannel) -> Target:
    return Target(way=channel.service, user_id=channel.user_id, channel_id=channel.id)


async def post(tx: Tx, channel: NotificationChannel, what: What) -> None:
    """Let it go to a channel of the company's: at once, or in the one message that tells of a storm when it is over."""
    target, now = to_channel(channel), clock.now()
    await _hold(tx, target)
    of_kind = (Delivery.target_id == target.id, Delivery.kind == what.kind)
    lately = select(func.count()).where(*of_kind, Delivery.asked_at > now - STORM_LASTS, Delivery.folded == 0)
    storm = await tx.scalar(select(Delivery).where(*of_kind, Delivery.status == "waiting", Delivery.folded > 0))
    if storm is not None:
        storm.folded += 1
        storm.title, storm.text = wording.many(what.kind, storm.folded, what.language)
    elif what.kind in BY_NAME and (await tx.scalar(lately) or 0) >= STORM:
        title, text = wording.many(what.kind, 1, what.language)
        await send(tx, target, replace(what, title=title, text=text, link=None), now + STORM_LASTS, folded=1)
    else:
        await send(tx, target, what, now)


async def send(tx: Tx, target: Target, what: What, at: datetime, *, patient: bool = False, folded: int = 0) -> None:
    """Let it go there at a moment, or now when that is past. With `patient`, not if its person has seen it by then."""
    row = Delivery(
        target_id=target.id,
        way=target.way,
        user_id=target.user_id,
        channel_id=target.channel_id,
        notification_id=what.notification_id,
        kind=what.kind,
        language=what.language,
        title=what.title,
        text=what.text,
        link=what.link,
        patient=patient,
        folded=folded,
        due_at=at,
        status="waiting",
        asked_at=clock.now(),
    )
    tx.add(row)
    await plan(tx, target)


async def plan(tx: Tx, target: Target) -> None:
    """Send what is due there, and set the timer for what is not."""
    # Who did not see another's row would move the timer behind it.
    await _hold(tx, target)
    while await _send_due(tx, target):
        pass
    first = select(func.min(Delivery.due_at)).where(Delivery.target_id == target.id, Delivery.status == "waiting")
    if (at := await tx.scalar(first)) is not None:
        await due.set(tx, target.id, at, target)


async def _hold(tx: Tx, target: Target) -> None:
    """Nobody else plans for this target until this is committed."""
    await tx.execute(_HOLD, {"target": f"delivery/{target.id}"})


@due.due
async def come(tx: Tx, target_id: UUID, target: Target) -> None:
    """The time of a digest, or the end of quiet hours or of a storm."""
    await plan(tx, target)


async def _send_due(tx: Tx, target: Target) -> bool:
    """Put what is due into one message; whether there was any."""
    # What still waits is asked of the database.
    await tx.flush()
    now = clock.now()
    waiting = (Delivery.target_id == target.id, Delivery.status == "waiting", Delivery.due_at <= now)
    query = select(Delivery).where(*waiting).order_by(Delivery.id).limit(AT_ONCE).with_for_update()
    rows = list(await tx.scalars(query))
    if not rows:
        return False
    kept = await _still_wanted(tx, rows, now)
    # What does not fit waits on, and is due: the next message has it.
    kept = kept[: formats.fitting(kept, target.way, _settings.of(tx).public_url)]
    if kept:
        call = await _call(tx, target, kept)
        if call is None:
            for row in kept:
                row.due_at = now + _LOOK_AGAIN
        elif isinstance(call, str):
            settle(kept, "failed", now, failure=call)
        else:
            id = await sending.send(tx, call, Sending(count=len(kept)))
            for row in kept:
                row.status, row.errand_id = "sending", id
    return True


async def _still_wanted(tx: Tx, rows: Sequence[Delivery], now: datetime) -> list[Delivery]:
    """Those that nobody has seen meanwhile. What more came of a storm is in its words."""
    ids = [row.notification_id for row in rows if row.patient and row.notification_id is not None]
    found = {each.id: each for each in await tx.scalars(select(Notification).where(Notification.id.in_(ids)))}
    kept = []
    for row in rows:
        one = found.get(row.notification_id) if row.notification_id else None
        # What is in no feed, nobody sees there: "all read" says nothing of it.
        if one is not None and (one.deleted_at is not None or (one.shown and one.read_at is not None)):
            settle([row], "dropped", now)
            continue
        if one is not None:
            row.title, row.text = one.title, one.text
        kept.append(row)
    return kept


async def _call(tx: Tx, target: Target, rows: Sequence[Delivery]) -> Call | str | None:
    """The message, or a word for why there can be none; None when its user's address is still on its way here."""
    base = _settings.of(tx).public_url
    if target.channel_id is not None:
        channel = await tx.get(NotificationChannel, (tx.tenant_id, target.channel_id))
        if channel is None or channel.deleted_at is not None:
            return "channel-gone"
        if channel.user_id is not None and not await _is_here(tx, channel.user_id):
            return "user-gone"
        body = formats.slack(rows, base) if channel.service == "slack" else formats.teams(rows, base)
        return Call("POST", channel.address, json=body, tail=Secret(channel.secret))
    user = await tx.scalar(select(UserCopy).where(UserCopy.id == target.user_id))
    if user is None and rows[0].asked_at > clock.now() - _AWAITED:
        return None
    if user is None or not user.active:
        return "user-unknown" if user is None else "user-gone"
    partner = partner_of(_settings.of(tx), MAIL_SERVER)
    if partner is None or partner.sender is None:
        return "no-mail-server"
    message = formats.mail(rows, clock.now(), base)
    try:
        return partner.mail(user.email, formats.title_of(rows), message)
    except ValueError:
        return "bad-address"


async def _is_here(tx: Tx, user_id: UUID) -> bool:
    """Whether a user is in use, as far as is known here."""
    return await tx.scalar(select(UserCopy.active).where(UserCopy.id == user_id)) is not False


@sending.outcome
async def note(tx: Tx, outcome: Outcome) -> None:
    rows = list(await tx.scalars(select(Delivery).where(Delivery.errand_id == outcome.errand_id)))
    if outcome.ok:
        settle(rows, "sent", clock.now())
        return
    said = outcome.failure or (f"status-{outcome.response.status}" if outcome.response else "unanswered")
    settle(rows, "failed", clock.now(), failure=said)


def settle(rows: Sequence[Delivery], status: Any, at: datetime, *, failure: str | None = None) -> None:
    for row in rows:
        row.status, row.settled_at, row.failure = status, at, failure


async def repeat(tx: Tx, row: Delivery) -> None:
    """Send what did not arrive again, now."""
    row.status, row.errand_id, row.failure, row.settled_at = "waiting", None, None, None
    row.due_at, row.patient = clock.now(), False
    await plan(tx, Target(way=row.way, user_id=row.user_id, channel_id=row.channel_id))
