"""The partners whose addresses the operator gives: where a carrier, a bank, or an office for tax ids is reached, and by which secret.

    Verification = Annotated[Partner | None, partner("verification")]

in a route's signature: None while `TAILRACE_PARTNERS` does not name it.
"""

from collections.abc import Mapping
from typing import Any

from fastapi import Depends, Request

from tailrace.core.values.mailboxes import sendable
from tailrace.errands import mail
from tailrace.errands.calls import Call
from tailrace.errands.secrets import Secret
from tailrace.settings import PartnerAddress, Settings

__all__ = ["Partner", "partner"]


class Partner:
    """Whom to call, by a name that says what they do."""

    def __init__(self, name: str, address: PartnerAddress) -> None:
        self.name = name
        self._address = address

    def call(self, method: str, path: str, *, json: Any = None, headers: Mapping[str, str] | None = None) -> Call:
        """A call to a path of theirs, with the secret that they gave as a bearer token (RFC 6750), where there is one."""
        given: dict[str, str | Secret] = {"Accept": "application/json", **(headers or {})}
        if self._address.secret is not None:
            given["Authorization"] = Secret(self._address.secret, "Bearer ")
        return Call(method, self._address.url.rstrip("/") + path, given, json=json)

    @property
    def sender(self) -> str | None:
        """Of a mail server: the address that mail comes from."""
        return self._address.sender

    def mail(self, recipient: str, subject: str, message: bytes, *, reply_to: str | None = None) -> Call:
        """Of a mail server: a message for it (RFC 5322), but for the fields that `mail.head` and the key make.

        Whom an answer goes to is left out where not every server takes the address. Raises ValueError for a recipient that is none, and where no
        setting says from whom.
        """
        if self._address.sender is None:
            raise ValueError(f"TAILRACE_PARTNERS names no sender for {self.name}")
        sender, to = self._address.sender, sendable(recipient)
        headers: dict[str, str | Secret] = {"From": sender, "To": to}
        if self._address.secret is not None:
            headers |= {"User": self._address.user or self._address.sender, "Password": Secret(self._address.secret)}
        head = mail.head(sender, to, subject, _answered(reply_to))
        return Call(mail.METHOD, self._address.url, headers, body=head + message)


def _answered(reply_to: str | None) -> str | None:
    """None for what some servers do not take, or none: the mail is to go all the same."""
    try:
        address = None if reply_to is None else sendable(reply_to)
    except ValueError:
        return None
    return address if address is not None and address.isascii() else None


def partner_of(settings: Settings, name: str) -> Partner | None:
    """None when no setting says where it is."""
    address = settings.partners.get(name)
    return None if address is None else Partner(name, address)


def partner(name: str) -> Any:
    """What a route depends on to call a partner."""

    async def known(request: Request) -> Partner | None:
        return partner_of(request.app.state.settings, name)

    return Depends(known)
