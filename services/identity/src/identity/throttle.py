"""Guessing is slow: after five wrong passwords in a row an address waits, twice as long each time, up to a quarter of an hour."""

from datetime import UTC, datetime, timedelta
from math import ceil

from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert

from identity.models import LogInFailures
from identity.refusals import LockedOut
from tailrace.db.database import Tx

FREE = 5
_FIRST, _LONGEST = 30, 900
_FORGOTTEN_AFTER = timedelta(days=1)


async def ensure_open(tx: Tx, email: str) -> None:
    """Raises LockedOut (429) while the address has to wait."""
    now = datetime.now(UTC)
    until = await tx.scalar(select(LogInFailures.locked_until).where(LogInFailures.email == email))
    if until is not None and until > now:
        raise LockedOut(ceil((until - now).total_seconds()))


async def count(tx: Tx, email: str) -> None:
    """One more wrong password. The transaction must commit, whatever the answer will be."""
    now = datetime.now(UTC)
    await tx.execute(delete(LogInFailures).where(LogInFailures.last_at < now - _FORGOTTEN_AFTER))
    row = insert(LogInFailures).values(tenant_id=tx.tenant_id, email=email, failures=1, last_at=now)
    counted = row.on_conflict_do_update(
        index_elements=["tenant_id", "email"], set_={"failures": LogInFailures.failures + 1, "last_at": now}
    ).returning(LogInFailures.failures)
    failures = (await tx.execute(counted)).scalar_one()
    if failures >= FREE:
        until = now + timedelta(seconds=min(_FIRST * 2 ** min(failures - FREE, 5), _LONGEST))
        await tx.execute(update(LogInFailures).where(LogInFailures.email == email).values(locked_until=until))


async def forgive(tx: Tx, email: str) -> None:
    """The right password: the count begins at zero."""
    await tx.execute(delete(LogInFailures).where(LogInFailures.email == email))
