"""The least that a proxy in Python does: what comes from one side is written to the other, and nothing is read: `python -m edge.bare PORT UPSTREAM`.

No check can cost less than nothing, so this is what bounds the gateway in its place: the interpreter, the event loop, and four system calls.
"""

import asyncio
import sys

import uvloop


class Side(asyncio.Protocol):
    """One end. Whatever comes before the other end is there waits."""

    transport: asyncio.Transport

    def __init__(self, other: "Side | None" = None, upstream: int = 0) -> None:
        self._other, self._upstream, self._waiting = other, upstream, b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        if self._other is None:
            self._opening = asyncio.get_running_loop().create_task(self._open())

    async def _open(self) -> None:
        _, other = await asyncio.get_running_loop().create_connection(lambda: Side(self), "127.0.0.1", self._upstream)
        self._other = other
        other.transport.write(self._waiting)

    def data_received(self, data: bytes) -> None:
        if self._other is None:
            self._waiting += data
        else:
            self._other.transport.write(data)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._other is not None:
            self._other.transport.close()


async def serve(port: int, upstream: int) -> None:
    server = await asyncio.get_running_loop().create_server(lambda: Side(upstream=upstream), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), int(sys.argv[2])))
