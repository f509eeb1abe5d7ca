"""A message handed to a mail server (RFC 5321, RFC 6409), as a call: the server's reply code is the status of its answer.

    Call("MAIL", "smtp://mail.example.com:587", {"From": sender, "To": recipient, "User": name, "Password": Secret(…)}, body=head(…) + message)

`smtps` begins with TLS; `smtp` goes over to it where the server offers that, and always before a password is sent. The message gets a `Message-ID`
that is made of the errand's key, the same with each try: a server may take one message twice, and who reads it can tell.

2xx settles it, and so does 5xx: the server does not want this message. 4xx, and whatever breaks off, is tried again. An address with a name that is
no ASCII takes a server with SMTPUTF8 (RFC 6531); of another one the failure is `no-smtputf8`.
"""

import asyncio
import socket
import ssl
from collections.abc import Mapping
from email.header import Header
from typing import Any

import aiosmtplib

from tailrace.errands.guard import Pinned
from tailrace.errands.response import Response, Unanswered

METHOD = "MAIL"
_PERMANENT = 500
_WIDE = ("SMTPUTF8", "BODY=8BITMIME")
_LONGEST_PLAIN = 60
"""A subject so long needs no second line."""


def head(sender: str, recipient: str, subject: str, reply_to: str | None = None) -> bytes:
    """The fields of a message that hold what people wrote. The addresses are `mailboxes.sendable`.

    Written here, since `EmailMessage` decodes encoded words (RFC 2047) in whatever a field is set to, line ends and all, and so makes several fields
    of one.
    """
    said = " ".join(subject.split())
    plain = said.isascii() and said.isprintable() and "=?" not in said and len(said) <= _LONGEST_PLAIN
    if not plain:
        said = Header(said, "utf-8", header_name="Subject").encode(linesep="\r\n")
    fields = {"From": sender, "To": recipient, "Reply-To": reply_to, "Subject": said}
    return "".join(f"{name}: {value}\r\n" for name, value in fields.items() if value is not None).encode()


async def hand_in(
    pinned: Pinned,
    headers: Mapping[str, Any],
    message: bytes,
    secrets: Mapping[str, str],
    key: str,
    *,
    trust: ssl.SSLContext | None = None,
) -> Response:
    """The server's reply to the whole message, or its refusal for good. Raises Unanswered, and OSError when nobody is there."""
    sender, recipient, password = headers["From"], headers["To"], secrets.get("Password")
    domain = sender.rpartition("@")[2]
    message = f"Message-ID: <{key}@{domain}>\r\n".encode("ascii") + message
    secure = pinned.target.scheme == "smtps"
    client = aiosmtplib.SMTP(
        hostname=pinned.target.host,
        use_tls=secure,
        start_tls=False if secure else True if password else None,
        tls_context=trust,
        local_hostname=domain,
        sock=await _connected(pinned),
        timeout=None,
    )
    try:
        await client.connect()
        if password is not None:
            await client.login(str(headers["User"]), password)
        said = await _handed_in(client, sender, recipient, message)
    except aiosmtplib.SMTPRecipientsRefused as refused:
        return _refused(refused.recipients[0].code)
    except aiosmtplib.SMTPResponseException as refused:
        return _refused(refused.code)
    except (aiosmtplib.SMTPNotSupported, ValueError):
        raise Unanswered("refused-request", passing=False) from None
    except aiosmtplib.SMTPException:
        raise Unanswered("broken-off", down=True) from None
    finally:
        client.close()
    return Response(250, {}, said.encode(errors="replace"))


async def _handed_in(client: aiosmtplib.SMTP, sender: str, recipient: str, message: bytes) -> str:
    """What the server says to the message. Raises Unanswered where it takes no such address."""
    options = () if (sender + recipient).isascii() else _WIDE
    try:
        _, said = await client.sendmail(sender, [recipient], message, mail_options=options)
    except aiosmtplib.SMTPNotSupported:
        raise Unanswered("no-smtputf8", passing=False) from None
    return said


def _refused(code: int) -> Response:
    """What a reply that is no 2xx settles. Raises Unanswered."""
    if code >= _PERMANENT:
        return Response(code, {}, b"")
    # 421: the server is about to close (RFC 5321, 4.2.3).
    raise Unanswered(f"status-{code}", down=code == 421, response=Response(code, {}, b""))


async def _connected(pinned: Pinned) -> socket.socket:
    family = socket.AF_INET6 if ":" in pinned.address else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, (pinned.address, pinned.target.port))
    except BaseException:
        sock.close()
        raise
    return sock
