"""Tokens that the platform's own clients log in to Kafka with (OAUTHBEARER), by OAuth 2.0's client credentials.

A client's id is its user at Kafka, and its secret derives from identity's key, so that none is stored. The brokers verify a token by the keys that
identity publishes. It is good at Kafka alone: its audience is no service's, and it has no tenant. The path is not exposed at the edge.

Nothing of this needs Kafka, which identity itself reaches by such a token.
"""

import hmac
import time
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import Depends, Request
from fastapi.security import HTTPBasic, HTTPBasicCredentials

from identity.tokens import Issuer
from tailrace.core.addresses.kafka import BROKER
from tailrace.core.errors import BadRequest, Unauthenticated
from tailrace.core.ids import uuid7
from tailrace.settings import Settings

LIFETIME = 3600
_MOST_FIELDS = 5
DECLARED = {"requestBody": {"required": True, "content": {"application/x-www-form-urlencoded": {"schema": {}}}}}
Given = Annotated[HTTPBasicCredentials | None, Depends(HTTPBasic(auto_error=False))]
"""The user and the secret, where somebody said any."""


def audience_of(settings: Settings) -> str:
    """What a broker expects as `aud`: no service can be called so."""
    return f"{settings.audience}:kafka"


async def granted(request: Request, given: HTTPBasicCredentials | None) -> dict[str, Any]:
    """A token for who names a user of Kafka's and that user's secret (RFC 6749, section 4.4). A `scope` is taken and means nothing.

    Raises Unauthenticated, and BadRequest for a body that is not that form.
    """
    settings: Settings = request.app.state.settings
    issuer: Issuer = request.app.state.issuer
    if given is None or given.username == BROKER or not _is_right(settings, given):
        raise Unauthenticated(
            "Send a user of Kafka's and its secret.", challenge='Basic realm="kafka", charset="UTF-8"'
        )
    try:
        form = parse_qs((await request.body()).decode("ascii"), max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BadRequest("The body is not a form.") from error
    if form.get("grant_type") != ["client_credentials"]:
        raise BadRequest("The grant_type is client_credentials.")
    now = int(time.time())
    claims = {
        "iss": settings.issuer,
        "aud": audience_of(settings),
        "sub": given.username,
        "client_id": given.username,
        "scope": "kafka",
        "jti": str(uuid7()),
        "iat": now,
        "exp": now + LIFETIME,
    }
    return {
        "access_token": await issuer.keys.sign(claims),
        "token_type": "Bearer",
        "expires_in": LIFETIME,
        "scope": "kafka",
    }


def _is_right(settings: Settings, given: HTTPBasicCredentials) -> bool:
    wanted = settings.kafka_client_secret(given.username)
    return hmac.compare_digest(wanted.encode(), given.password.encode("utf-8", "replace"))
