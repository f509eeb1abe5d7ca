"""Heads: how a company's log is, signed, told of, and shipped off to where the database's owner cannot take it back.

One is signed a minute after the first record that none covers, or as soon as ten thousand wait for it. What is said of heads is recorded too, but
calls for no head by itself.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import select

from audit.means import means_of
from audit.models import Head, Log, Signature
from audit.pruning import policy
from audit.trees import locked, renew_documents
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.messaging.timers import Timer
from tailrace.verify.evidence import HEAD_FORMAT, canonical, moment, statement
from tailrace.verify.merkle import Edge

AFTER = timedelta(minutes=1)
AT_MOST = 10_000
"""Records that wait for a head."""
_SHIPPED_AT_ONCE = 100

# By the clock, as schedules are, but a minute after there is something to sign: it follows from no deed of the company's.
signing = Timer("schedule:audit.signing")
signing.actor = signing.name
shipping = Timer("audit.shipping")


async def plan(tx: Tx, before: int, after: int) -> None:
    """Let a head be signed in time: `before` and `after` are how many records waited for it."""
    now = datetime.now(UTC)
    if before == 0 < after:
        await signing.set(tx, tx.tenant_id, now if after >= AT_MOST else now + AFTER)
    elif before < AT_MOST <= after:
        await signing.hasten(tx, tx.tenant_id, now)


@signing.due
async def sign_due(tx: Tx, key: UUID) -> None:
    await sign(tx)


async def sign(tx: Tx) -> Head | None:
    """Sign the log as it is; None when the newest head says it already."""
    log = await locked(tx)
    if log.size == log.signed:
        return None
    means = means_of(tx)
    key = await means.key(tx)
    signature = await tx.scalar(select(Signature).with_for_update()) or Signature.first(tx.tenant_id)
    head = {
        "format": HEAD_FORMAT,
        "tenant": str(tx.tenant_id),
        "number": (signature.version or 0) + 1,
        "size": log.size,
        "root": Edge.read(log.size, log.edge).root().hex(),
        "documents": log.documents,
        "documents_root": (await renew_documents(tx, log.signed)).hex(),
        "signed_at": moment(datetime.now(UTC)),
        "key": key.id,
    }
    head["signature"] = await means.sign(tx, statement(head), key)
    signature.sign(head)
    tx.add(signature)
    row = Head(
        id=uuid7(),
        number=head["number"],
        size=log.size,
        signed_at=datetime.fromisoformat(str(head["signed_at"])),
        statement=head,
    )
    tx.add(row)
    log.signed, log.waiting = log.size, 0
    await shipping.set(tx, tx.tenant_id, datetime.now(UTC))
    return row


@shipping.due
async def ship(tx: Tx, key: UUID) -> None:
    """Put what is signed into the store, locked where it can lock for as long as contents are kept.

    A store that is away is tried again in a minute; what is put twice is the same.
    """
    waiting = select(Head).where(Head.shipped_at.is_(None)).order_by(Head.number).limit(_SHIPPED_AT_ONCE)
    heads = list(await tx.scalars(waiting.with_for_update()))
    kept = timedelta(days=(await policy(tx)).days)
    for head in heads:
        until = max(head.signed_at, datetime.now(UTC)) + kept
        await means_of(tx).store.seal(place_of(tx.tenant_id, head.number), canonical(head.statement), until)
        head.shipped_at = datetime.now(UTC)
    if len(heads) == _SHIPPED_AT_ONCE:
        await shipping.set(tx, tx.tenant_id, datetime.now(UTC))


def place_of(tenant_id: UUID, number: int) -> str:
    """The key of a head in the store."""
    return f"heads/{tenant_id}/{number:010d}"


async def newest(tx: Tx) -> Head | None:
    return await tx.scalar(select(Head).order_by(Head.number.desc()).limit(1))


async def log_of(tx: Tx) -> Log | None:
    """The company's log, for reading."""
    return await tx.scalar(select(Log))
