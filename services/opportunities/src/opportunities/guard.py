"""What keeps a form from abuse, cheapest first: the site it is sent from, a field that only machines fill in, a challenge that takes a person's
time and a machine's work and is good once, and how often one address and all together may send it.

The challenge is that of ALTCHA: find the number for which SHA-256 of salt and number is the target. It is signed, so nothing is stored until it is
answered; then its salt is, so that a second answer has no effect.
"""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.postgresql import insert

from contracts.users import TenantCreated, TenantTimeZoneChanged
from opportunities.forms import FormAnswer, FormUse, LeadForm, Signer
from opportunities.projections import days
from opportunities.refusals import ChallengeRefused, OriginRefused, TooManySubmissions
from tailrace.core import clock
from tailrace.db.database import Tx
from tailrace.http.protocol.addresses import address_key
from tailrace.messaging.schedules import Schedule
from tailrace.settings import Settings

GOOD_FOR = timedelta(hours=12)
_SALT, _TARGET = 12, 32
_LENGTH = 16 + 8 + _SALT + _TARGET
_HOUR = timedelta(hours=1)

_use = insert(FormUse)
_COUNT = _use.on_conflict_do_update(
    index_elements=["tenant_id", "form_id", "hour", "who"], set_={"times": FormUse.times + 1}
).returning(FormUse.times)
_ANSWER = insert(FormAnswer).on_conflict_do_nothing().returning(FormAnswer.salt)

mornings = Schedule("opportunities.form_pruning", "40 3 * * *", days, TenantCreated, TenantTimeZoneChanged)


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a sender has to bring back. `target` is None where no work is asked for."""

    token: str
    salt: str
    target: str | None
    largest: int


def challenge_of(settings: Settings, form: LeadForm) -> Challenge:
    """A new one for a form."""
    salt = secrets.token_bytes(_SALT)
    target = _hashed(salt.hex(), secrets.randbelow(form.work)) if form.work else bytes(_TARGET)
    issued = int(clock.now().timestamp() * 1000).to_bytes(8)
    token = Signer(settings, "challenge").sign(form.id.bytes + issued + salt + target)
    return Challenge(token, salt.hex(), target.hex() if form.work else None, form.work)


def ensure_origin(form: LeadForm, origin: str | None) -> None:
    """Raises OriginRefused."""
    if form.origins and origin not in form.origins:
        raise OriginRefused("This form may not be sent from here.")


def ensure_answered(settings: Settings, form: LeadForm, token: str, solution: int | None) -> str:
    """The salt of a challenge that was answered in time, with the work done. Raises ChallengeRefused."""
    content = Signer(settings, "challenge").read(token, _LENGTH)
    if content is None or content[:16] != form.id.bytes:
        raise ChallengeRefused("The challenge is none of this form.", field="/challenge")
    issued = datetime.fromtimestamp(int.from_bytes(content[16:24]) / 1000, UTC)
    salt, target = content[24 : 24 + _SALT], content[24 + _SALT :]
    age = clock.now() - issued
    if age > GOOD_FOR:
        raise ChallengeRefused("The form was opened too long ago.", field="/challenge")
    if age < timedelta(seconds=form.min_seconds):
        wait = {"Retry-After": str(form.min_seconds)}
        raise ChallengeRefused("The form was filled in too quickly.", field="/challenge", headers=wait)
    if any(target) and (solution is None or not hmac.compare_digest(_hashed(salt.hex(), solution), target)):
        raise ChallengeRefused("The work was not done.", field="/solution")
    if form.work and not any(target):
        raise ChallengeRefused("The form asks for work by now.", field="/challenge")
    return salt.hex()


async def ensure_allowed(tx: Tx, settings: Settings, form: LeadForm, host: str | None) -> None:
    """Count one more use of the form. Raises TooManySubmissions."""
    now = clock.now()
    hour = now.replace(minute=0, second=0, microsecond=0)
    hashed = hmac.digest(settings.secret.encode(), f"{hour.date()}/{address_key(host)}".encode(), "sha256").hex()[:32]
    which = {"tenant_id": tx.tenant_id, "form_id": form.id, "hour": hour, "times": 1}
    # The address first: who sends too often does not use up what all may.
    for who, most in ((hashed, form.per_address), ("", form.per_hour)):
        times = await tx.scalar(_COUNT, {**which, "who": who})
        if int(times or 0) > most:
            raise TooManySubmissions(int((hour + _HOUR - now).total_seconds()) + 1)


async def is_first(tx: Tx, form_id: UUID, salt: str) -> bool:
    """Whether a challenge is answered for the first time; of several at once, one is the first."""
    row = {"tenant_id": tx.tenant_id, "form_id": form_id, "salt": salt, "answered_at": clock.now()}
    return await tx.scalar(_ANSWER, row) is not None


@mornings.run
async def prune(tx: Tx, at: datetime) -> None:
    """Forget what no challenge or hour asks for any more."""
    before = clock.now() - GOOD_FOR - _HOUR
    await tx.execute(delete(FormUse).where(FormUse.hour < before))
    await tx.execute(delete(FormAnswer).where(FormAnswer.answered_at < before))


def _hashed(salt: str, number: int) -> bytes:
    return hashlib.sha256(f"{salt}{number}".encode()).digest()
