"""A user's token becomes one for a single service (RFC 8693): shorter, never good for more, and ended with the session that it comes from.

A token that is handed on holds no more than that one service needs. Parameters are the RFC's; refusals are problem details, as everywhere.
"""

import time
from collections import Counter
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from identity import audit
from identity.audit import Origin
from identity.bodies import TokenExchange
from identity.keys import SigningKeys
from identity.views import ExchangedToken
from tailrace.core.errors import BadRequest, Forbidden, Invalid
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx
from tailrace.http.auth import Verifier, principal_of
from tailrace.http.protocol.exact_json import WHOLE_BODY
from tailrace.http.protocol.strict import refuse_other_formats
from tailrace.settings import Settings

LIFETIME = 300
_FORM = "application/x-www-form-urlencoded"
_MOST_FIELDS = 20


DECLARED = {"requestBody": {"required": True, "content": {_FORM: {"schema": TokenExchange.model_json_schema()}}}}


async def asked_for(request: Request) -> TokenExchange:
    """The form of a request. Raises MediaTypeRefused or BadRequest for what is no form, RequestValidationError for a wrong one."""
    refuse_other_formats(request, _FORM)
    try:
        text = (await request.body()).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, strict_parsing=True, max_num_fields=_MOST_FIELDS)
    except ValueError as error:
        raise BadRequest("The body is not a form.", field=WHOLE_BODY) from error
    fields = dict(pairs)
    if len(fields) != len(pairs):
        times = Counter(name for name, _ in pairs)
        raise BadRequest("It comes more than once.", field=[f"/{name}" for name in fields if times[name] > 1])
    try:
        return TokenExchange.model_validate(fields)
    except ValidationError as error:
        wrong = [
            {**each, "loc": ("body", *each["loc"])} for each in error.errors(include_input=False, include_url=False)
        ]
        raise RequestValidationError(wrong) from None


class Exchange:
    """Issues tokens for one service from tokens for the platform."""

    def __init__(self, keys: SigningKeys, verifier: Verifier, settings: Settings) -> None:
        self._keys = keys
        self._verifier = verifier
        self._settings = settings

    async def subject(self, body: TokenExchange) -> dict[str, Any]:
        """The verified claims to exchange. Raises Unauthenticated; Invalid for a token that was exchanged already or an unknown service."""
        claims = await self._verifier.claims(body.subject_token.get_secret_value())
        if claims["aud"] != self._settings.audience:
            raise Invalid.field(
                "/subject_token", "This token is for one service already, and is exchanged for no other."
            )
        known = self._settings.ports
        if body.audience == self._settings.audience or (known and body.audience not in known):
            raise Invalid.field("/audience", f"There is no service {body.audience}.")
        return claims

    async def issue(self, claims: dict[str, Any]) -> ExchangedToken:
        """Sign what `narrowed` made."""
        token = await self._keys.sign(claims)
        return ExchangedToken(access_token=token, expires_in=claims["exp"] - claims["iat"], scope=claims["scope"])


def narrowed(claims: dict[str, Any], body: TokenExchange) -> dict[str, Any]:
    """The claims of the new token: the same user, tenant and session. Raises Forbidden for a scope that the token exchanged has not."""
    now = int(time.time())
    expires = min(now + LIFETIME, int(claims["exp"]))
    scope = _scope(claims, body.scope)
    return {**claims, "aud": body.audience, "scope": scope, "jti": str(uuid7()), "iat": now, "exp": expires}


def note(tx: Tx, claims: dict[str, Any], origin: Origin) -> None:
    """Who had a token made for which service."""
    user = UUID(claims["sub"])
    audit.note(tx, origin, "token.exchanged", user, actor=user, audience=claims["aud"], scope=claims["scope"])


def _scope(claims: dict[str, Any], asked: str | None) -> str:
    if asked is None:
        return str(claims.get("scope", ""))
    principal = principal_of(claims)
    wider = [scope for scope in asked.split() if not principal.may(scope)]
    if wider:
        raise Forbidden(f"The token exchanged does not allow {' '.join(wider)}.")
    return asked
