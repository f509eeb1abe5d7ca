"""Replacing the signing keys on demand: the operator's, audited, without a log-out; or all at once when a private half may be known to others."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from identity import audit
from identity.audit import Origin
from identity.bodies import KeyRotation
from identity.keys import FOREVER, PUBLISHED_AHEAD, SigningKeys, all_keys, in_use
from identity.models import PLATFORM, SigningKey, Tenant
from identity.views import SigningKeyView
from tailrace.db.database import Tx


async def rotate(tx: Tx, keys: SigningKeys, body: KeyRotation, origin: Origin) -> list[SigningKeyView]:
    """Make a new key. With `revoke` nothing that an older key signed is good any more, and everybody has to refresh."""
    made = await keys.rotate(tx, ahead=timedelta() if body.at_once or body.revoke else PUBLISHED_AHEAD)
    revoked = await _revoke_all_but(tx, made) if body.revoke else []
    audit.note(tx, origin, "signing_key.rotated", UUID(made.id), reason=body.reason, revoked=revoked)
    # Which keys are revoked by now is asked of the database.
    await tx.flush()
    return await listed(tx, keys)


async def listed(tx: Tx, keys: SigningKeys) -> list[SigningKeyView]:
    """Every key that is known, the newest first, with what it is good for."""
    now = datetime.now(UTC)
    used = await in_use(tx)
    signing = next((key.id for key in used if key.signs_from <= now), None)
    views = []
    for key in await all_keys(tx):
        until = key.revoked_at or keys.verifies_until(key, used)
        if key.revoked_at is not None:
            state = "revoked"
        elif key.id == signing:
            state = "signing"
        elif key.signs_from > now:
            state = "next"
        else:
            state = "verifying" if until > now else "retired"
        ends = None if until == FOREVER else until
        views.append(SigningKeyView(id=UUID(key.id), state=state, signs_from=key.signs_from, verifies_until=ends))
    return views


async def _revoke_all_but(tx: Tx, made: SigningKey) -> list[str]:
    """The gateways learn it from an event of the platform's tenant; every other verifier fetches the set again within a minute."""
    platform = await tx.load(Tenant, PLATFORM)
    others = [key for key in await in_use(tx) if key.id != made.id]
    for key in others:
        key.revoked_at = datetime.now(UTC)
        platform.revoke_key(UUID(key.id))
    return [key.id for key in others]
