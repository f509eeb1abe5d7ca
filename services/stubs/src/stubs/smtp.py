"""A mail server (RFC 5321) as far as handing in goes: every message is taken, once by its `Message-ID`, and goes nowhere."""

import asyncio
import email
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.policy import default
from typing import Any
from urllib.parse import urlsplit

from stubs.books import Books
from stubs.faults import Faults
from stubs.log import Entry
from tailrace.observability.logs import log as logger
from tailrace.settings import Settings

_LARGEST = 1024 * 1024


@asynccontextmanager
async def listening(settings: Settings, books: Books, faults: Faults, log: deque[Entry]) -> AsyncIterator[None]:
    """Listen where `TAILRACE_PARTNERS` says that the mail server is, when that is on this machine."""
    partner = settings.partners.get("smtp")
    at = urlsplit(partner.url) if partner is not None else None
    server = None
    if at is not None and at.hostname == "127.0.0.1" and at.port:
        sink = Sink(books, faults, log)
        try:
            server = await asyncio.start_server(sink.serve, at.hostname, at.port, limit=_LARGEST)
        except OSError as error:
            logger.warning("no mail server here", port=at.port, reason=str(error))
    try:
        yield
    finally:
        if server is not None:
            server.close()


class Sink:
    """One mail server, with any number of connections. With `wide` it takes addresses in Unicode, too (SMTPUTF8)."""

    def __init__(self, books: Books, faults: Faults, log: deque[Entry], *, wide: bool = True) -> None:
        self._books, self._faults, self._log = books, faults, log
        self._extensions = ["8BITMIME", *(["SMTPUTF8"] if wide else [])]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection, from the greeting to its end."""
        try:
            await self._talk(reader, writer)
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
            pass
        finally:
            writer.close()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        await _say(writer, "220 stubs ready")
        while True:
            line = (await reader.readuntil(b"\r\n")).decode(errors="replace").strip()
            verb = line.partition(" ")[0].upper()
            if verb in {"EHLO", "HELO"}:
                *others, last = self._extensions
                await _say(writer, "250-stubs", *(f"250-{each}" for each in others), f"250 {last}")
            elif verb in {"MAIL", "RSET", "NOOP"}:
                recipients = []
                await _say(writer, "250 so be it")
            elif verb == "RCPT":
                recipients.append(line.partition("<")[2].partition(">")[0])
                await _say(writer, "250 known")
            elif verb == "DATA":
                await _say(writer, "354 go on")
                data = (await reader.readuntil(b"\r\n.\r\n"))[:-3].replace(b"\r\n..", b"\r\n.")
                reply = self._take(recipients, data)
                if reply is None:
                    return
                await _say(writer, reply)
            elif verb == "QUIT":
                await _say(writer, "221 bye")
                return
            else:
                await _say(writer, "502 not here")

    def _take(self, recipients: Sequence[str], data: bytes) -> str | None:
        """The reply to a whole message; None when the connection breaks off instead."""
        said: Message = email.message_from_bytes(data, policy=default)
        key = str(said["Message-ID"])
        fault = self._faults.due("smtp", "/messages")
        self._log.append(_entry(recipients, key, data, fault.kind if fault else None))
        if fault is None or fault.first:
            number = self._books.next("smtp", "S")
            self._books.once("smtp", key, {"id": number, "key": key, **_read(said), "to": list(recipients)}, number)
        if fault is None:
            return "250 taken"
        return f"{fault.status} out of order" if fault.kind == "status" else None


async def _say(writer: asyncio.StreamWriter, *lines: str) -> None:
    writer.write("".join(f"{line}\r\n" for line in lines).encode())
    await writer.drain()


def _read(said: Message) -> dict[str, Any]:
    assert isinstance(said, EmailMessage)
    text = said.get_body(("plain",))
    return {"from": str(said["From"]), "subject": str(said["Subject"]), "text": text.get_content() if text else ""}


def _entry(recipients: Sequence[str], key: str, data: bytes, fault: str | None) -> Entry:
    return Entry(
        at=datetime.now(UTC),
        partner="smtp",
        method="MAIL",
        path=f"/smtp/{','.join(recipients)}",
        query="",
        key=key,
        authorized=False,
        body=data.decode(errors="replace"),
        fault=fault,
    )
