"""A partner on this machine: a real listener that answers as it is told, ill or well, and remembers who connected and what they asked."""

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self


@dataclass(frozen=True)
class Asked:
    """One request: its first line, its headers by their names in lower case, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


def answer(
    status: int = 200, body: bytes = b"{}", *, kind: str = "application/json", headers: dict[str, str] | None = None
) -> bytes:
    """A whole response, as it goes over the wire."""
    lines = [f"HTTP/1.1 {status} Answer", f"Content-Type: {kind}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def truncated(body: bytes = b'{"half": ') -> bytes:
    """One that ends before its length."""
    return answer(body=body).replace(
        f"Content-Length: {len(body)}".encode(), f"Content-Length: {len(body) + 99}".encode()
    )


HANG = b"hang"
DROP = b""
"""Close without a word."""


@dataclass
class PartnerListener:
    """`async with PartnerListener() as partner`: `answers` are given in turn, the last one for ever; `decide` takes their place."""

    answers: list[bytes] = field(default_factory=lambda: [answer()])
    decide: Callable[[Asked], bytes] | None = None
    pause: float = 0.0
    host: str = "127.0.0.1"
    tls: ssl.SSLContext | None = None
    connections: int = 0
    at_once: int = 0
    most_at_once: int = 0
    asked: list[Asked] = field(default_factory=list)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, self.host, 0, ssl=self.tls)
        self.port: int = self._server.sockets[0].getsockname()[1]
        self._release = asyncio.Event()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._release.set()
        self._server.close()
        await self._server.wait_closed()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def target(self) -> str:
        return f"127.0.0.1:{self.port}"

    def release(self) -> None:
        """Let those go on that hang."""
        self._release.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            asked = await _request(reader)
            self.asked.append(asked)
            said = self.decide(asked) if self.decide else self.answers[min(len(self.asked), len(self.answers)) - 1]
            await asyncio.sleep(self.pause)
            if said == HANG:
                await self._release.wait()
            writer.write(said)
            await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.at_once -= 1
            writer.close()


async def _request(reader: asyncio.StreamReader) -> Asked:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    pairs = [line.partition(": ") for line in head[1:] if line]
    headers = {name.lower(): value for name, _, value in pairs}
    return Asked(head[0], headers, await reader.readexactly(int(headers.get("content-length", "0"))))
