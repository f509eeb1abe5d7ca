"""Links by which a customer sees a quote and answers it, without a log-in: signed, good until the quote's validity ends, and for that quote alone.

Nothing of a link is kept but in a mail that waits for the mail server: for a day at most, among the errands. It leads somewhere only while its quote
is sent or accepted: whatever ends the offer ends the link.
"""

import hashlib
import hmac
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from quotes.refusals import LinkEnded
from tailrace.core import clock
from tailrace.core.errors import Unknown
from tailrace.settings import Settings

PUBLIC = "/v1/quotes/public"
"""Below this is what a link shows."""
_ALGORITHM = "HS256"
_TYPE = "quote-link+jwt"
_LONGEST = 600


@dataclass(frozen=True, slots=True)
class Link:
    """Whose quote it leads to."""

    tenant_id: UUID
    quote_id: UUID


class Links:
    """Signs and reads links, with a key of the service's own."""

    def __init__(self, settings: Settings) -> None:
        derived = hmac.new(settings.secret.encode(), b"quotes:link", hashlib.sha256).digest()
        self._key = OctKey.import_key(derived)

    def token(self, link: Link, ends_at: datetime) -> str:
        """The secret part of the link's address, good until `ends_at`, excluded."""
        claims = {"t": link.tenant_id.hex, "q": link.quote_id.hex, "exp": int(ends_at.timestamp())}
        return jwt.encode({"alg": _ALGORITHM, "typ": _TYPE}, claims, self._key, algorithms=[_ALGORITHM])

    def read(self, token: str) -> Link:
        """Raises Unknown (404) for what was not signed here, LinkEnded (410) when its time is over. Signatures are compared in constant time."""
        try:
            if len(token) > _LONGEST:
                raise ValueError("longer than any of ours")
            read = jwt.decode(token, self._key, algorithms=[_ALGORITHM])
            if read.header.get("typ") != _TYPE:
                raise ValueError("another kind of token")
            link = Link(UUID(hex=read.claims["t"]), UUID(hex=read.claims["q"]))
            ends_at = int(read.claims["exp"])
        except (JoseError, ValueError, KeyError, TypeError, AttributeError) as error:
            raise Unknown("offer", "of this link") from error
        if clock.now().timestamp() >= ends_at:
            raise LinkEnded("The offer's time is over.")
        return link
