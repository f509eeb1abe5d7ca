"""A service that answers as the end of the path says: properly, oddly, late, or not at all."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EVIL = b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"
ANSWERS = {
    "plain": OK + b"Content-Length: 4\r\n\r\ngood",
    "empty": b"HTTP/1.1 204 No Content\r\n\r\n",
    "same": b'HTTP/1.1 304 Not Modified\r\nETag: "7"\r\n\r\n',
    "refused": b"HTTP/1.1 409 Conflict\r\nContent-Type: application/problem+json\r\nContent-Length: 2\r\n\r\n{}",
    "unnamed": b"HTTP/1.1 299 \r\nContent-Length: 2\r\n\r\nok",
    "bare": b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\nok",
    "chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "broken-chunks": OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nX\r\n",
    "hints": b"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + OK + b"Content-Length: 4\r\n\r\ngood",
    "long": OK + b"Content-Length: 300000\r\n\r\n" + b"x" * 300_000,
    "just-short": OK + b"Content-Length: 262144\r\n\r\n" + b"x" * 262_144,
    "excess": OK + b"Content-Length: 4\r\n\r\ngood" + EVIL,
    "two-lengths": OK + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\ngood!",
    "equal-lengths": OK + b"Content-Length: 4\r\nContent-Length: 4\r\n\r\ngood",
    "both": OK + b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    "signed-length": OK + b"Content-Length: +4\r\n\r\ngood",
    "no-status": b"HTTP/1.1 OK\r\n\r\n",
    "folded": OK + b"X-A: b\r\n c\r\nContent-Length: 4\r\n\r\ngood",
    "bare-line-feeds": b"HTTP/1.1 200 OK\nContent-Length: 4\n\ngood",
    "no-http": b"hello\r\n\r\n",
    "named": OK + b"Connection: x-internal\r\nX-Internal: 1\r\nContent-Length: 4\r\n\r\ngood",
}
CLOSING = {
    "closes": OK + b"Connection: close\r\nContent-Length: 4\r\n\r\ngood",
    "to-the-end": OK + b"\r\ngood",
    "old": b"HTTP/1.0 200 OK\r\nContent-Length: 4\r\n\r\ngood",
    "breaks-off": OK + b"Content-Length: 10\r\n\r\nhal",
    "breaks-off-in-its-head": OK,
    "hangs-up": b"",
}
SILENT = "silent"
MOODS = (*ANSWERS, *CLOSING, SILENT)


class MoodyService:
    """`asked` are the ends of the paths that it was asked for. `hung_up` is set when a client leaves a silent answer."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.release = asyncio.Event()
        self.hung_up = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Its address."""
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            self.release.set()
            server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while await self._one(reader, writer):
                await writer.drain()
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = await reader.readuntil(b"\r\n\r\n")
        length = [int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        await reader.readexactly(length[0] if length else 0)
        mood = head.split(b" ")[1].rsplit(b"/", 1)[1].decode()
        self.asked.append(mood)
        if mood in CLOSING:
            writer.write(CLOSING[mood])
            return False
        if mood == SILENT:
            await self._be_silent(reader)
            mood = "plain"
        writer.write(ANSWERS[mood])
        return True

    async def _be_silent(self, reader: asyncio.StreamReader) -> None:
        left = asyncio.create_task(reader.read(1))
        released = asyncio.create_task(self.release.wait())
        await asyncio.wait([left, released], return_when=asyncio.FIRST_COMPLETED)
        if left.done():
            self.hung_up.set()
        left.cancel()
        released.cancel()
