"""What a carrier says of a way without being asked. Who calls proves by a signature that it is the carrier that the operator named.

The signature is that of Standard Webhooks (HMAC-SHA256 over id, time and body), by a secret of that carrier's alone. What was signed more than
five minutes ago, or lies as far ahead, is refused, and what comes again within them changes nothing: a step is kept once, by the carrier's own name
for it.
"""

import base64
import binascii
import hmac
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Path, Request, Response

from contracts.carriage import TrackedStep
from shipping.booking import commands
from shipping.booking.bodies import CarrierSays
from shipping.booking.partner import CALLBACKS
from tailrace.core import clock
from tailrace.core.errors import BadRequest, Unauthenticated
from tailrace.errands.secrets import Secret, SecretMissing, look_up
from tailrace.http.protocol.strict import declared, public_router
from tailrace.http.public import acting_for
from tailrace.observability.logs import log

TOLERANCE = 300
"""Seconds by which the time of signing may lie behind or ahead."""
_SHORTEST = 24
"""Bytes of a secret (Standard Webhooks)."""
_ACTOR = "partner:carrier"

router: APIRouter = public_router(tag="carrier callbacks", about="What carriers say of a way without being asked.")

Id = Annotated[
    str, Header(max_length=200, description="The carrier's own name for this call, the same on every retry.")
]
Time = Annotated[str, Header(max_length=20, description="When it was signed, in seconds of the epoch.")]
Signatures = Annotated[
    str, Header(max_length=2000, description="`v1,` and the signature in base64; several with spaces between them.")
]

Whose = Annotated[
    UUID, Path(description="Whose booking it is: stands in the `callback` that the booking was asked with.")
]


async def _signed(request: Request, webhook_id: Id, webhook_timestamp: Time, webhook_signature: Signatures) -> None:
    """Raises Unauthenticated, and BadRequest for a time that is none."""
    if not webhook_timestamp.isdecimal() or not webhook_timestamp.isascii():
        raise BadRequest("It is not a count of seconds.", field="webhook-timestamp")
    if abs(clock.now().timestamp() - int(webhook_timestamp)) > TOLERANCE:
        raise Unauthenticated("It was signed too long ago, or lies ahead.", challenge="Webhook")
    key = _key(request)
    said = f"{webhook_id}.{webhook_timestamp}.".encode("latin-1") + await request.body()
    right = b"v1," + base64.b64encode(hmac.digest(key, said, "sha256"))
    # Several stand there while a secret is changed for another.
    given = webhook_signature.encode("latin-1").split()
    if not any(hmac.compare_digest(right, each) for each in given):
        raise Unauthenticated("The signature is not that of the carrier.", challenge="Webhook")


@router.post(
    f"{CALLBACKS}/{{tenant_id}}",
    status_code=204,
    response_class=Response,
    dependencies=[Depends(_signed)],
    responses=declared(401, 404, 409),
)
async def note_callback(request: Request, tenant_id: Whose, body: CarrierSays) -> Response:
    """Take in what a carrier says of a way. Sent again, it has no further effect. 409 while the booking is not confirmed: say it again later."""
    async with acting_for(request, tenant_id, _ACTOR) as tx:
        await commands.take_in(tx, body.reference, [TrackedStep(**step.model_dump()) for step in body.steps])
    return Response(status_code=204)


def _key(request: Request) -> bytes:
    """What the operator gave for it. Raises Unauthenticated while that is nothing usable."""
    settings = request.app.state.settings
    address = settings.partners.get("carrier")
    refused = Unauthenticated("No carrier signs anything here.", challenge="Webhook")
    if address is None or address.callbacks is None:
        raise refused
    try:
        text = look_up(Secret(address.callbacks), settings.secrets)
        key = base64.b64decode(text.removeprefix("whsec_"), validate=True)
    except (SecretMissing, ValueError, binascii.Error):
        # Of the secret itself nothing is said.
        log.error("the secret of the carrier's callbacks is missing, or not base64")
        raise refused from None
    if len(key) < _SHORTEST:
        log.error("the secret of the carrier's callbacks is too short")
        raise refused
    return key
