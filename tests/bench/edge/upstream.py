"""What stands behind every side: it answers 117 bytes of JSON at once, and publishes a key: `python -m edge.upstream PORT KEYS.json`."""

import asyncio
import sys
from pathlib import Path

import uvloop

BODY = b'{"id":"0192f0c4-6a1e-7c1b-9b59-3a6c1a7f6d10","number":4711,"status":"confirmed","total":"1234.56","currency":"EUR"}  '
KEYS_PATH = b"/.well-known/jwks.json"


class Upstream(asyncio.Protocol):
    """One connection. What a request says is not looked at, but for where it ends."""

    answer: bytes
    keys: bytes
    transport: asyncio.Transport
    _left = 0
    _rest = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        while (end := data.find(b"\r\n\r\n")) >= 0:
            head = data[:end].lower()
            length = _length(head)
            if len(data) < end + 4 + length:
                break
            data = data[end + 4 + length :]
            self.transport.write(self.keys if KEYS_PATH in head else self.answer)
        self._rest = data


def _length(head: bytes) -> int:
    at = head.find(b"\r\ncontent-length:")
    return int(head[at + 17 :].split(b"\r\n", 1)[0]) if at >= 0 else 0


def answer(body: bytes) -> bytes:
    return b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\netag: "7"\r\ncontent-length: %d\r\n\r\n%s' % (
        len(body),
        body,
    )


async def serve(port: int, keys: bytes) -> None:
    Upstream.answer, Upstream.keys = answer(BODY), answer(keys)
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(int(sys.argv[1]), Path(sys.argv[2]).read_bytes()))
