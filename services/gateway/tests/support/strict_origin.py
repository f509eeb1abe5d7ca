"""What stands behind a gateway in tests of what it lets through: an origin that takes nothing but HTTP/1.1 to the letter, and keeps what it was
asked.
"""

import asyncio
import re
from dataclasses import dataclass, field

_LINE = re.compile(rb"(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|QUERY) (/[!-~]*) HTTP/1\.1")
_FIELD = re.compile(rb"([!#$%&'*+\-.^_`|~0-9A-Za-z]+): ?([\x20-\x7e\t\x80-\xff]*)")
_ANSWER = b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nETag: "7"\r\nContent-Length: 17\r\n\r\n'


@dataclass(frozen=True)
class Seen:
    """One request. `fields` are in the order of their names, since none of these means anything by its place."""

    method: bytes
    target: bytes
    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def case(self) -> int | None:
        found = [int(value) for name, value in self.fields if name == b"x-case" and value.isdigit()]
        return found[0] if len(found) == 1 else None


@dataclass
class Origin:
    """`seen` is what it was asked; `wrong` what it was sent that is not HTTP, or not for it."""

    seen: list[Seen] = field(default_factory=list)
    wrong: list[bytes] = field(default_factory=list)

    async def start(self) -> tuple[asyncio.Server, int]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=1 << 20)
        return server, server.sockets[0].getsockname()[1]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                seen = await self._read(head, reader)
                self.seen.append(seen)
                body = b"" if seen.method == b"HEAD" else b'{"who": "origin"}'
                writer.write(_ANSWER + body)
        except ValueError:
            self.wrong.append(head)
        except asyncio.IncompleteReadError as error:
            if error.partial:
                self.wrong.append(error.partial)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _read(self, head: bytes, reader: asyncio.StreamReader) -> Seen:
        """Raises ValueError for what is not HTTP/1.1 to the letter."""
        first, *lines = head[:-4].split(b"\r\n")
        line = _LINE.fullmatch(first)
        fields = [_FIELD.fullmatch(each) for each in lines]
        if line is None or None in fields:
            raise ValueError
        said = [(each[1].lower(), each[2]) for each in fields if each is not None]
        lengths = [value for name, value in said if name == b"content-length"]
        codings = [value for name, value in said if name == b"transfer-encoding"]
        if len(lengths) + len(codings) > 1 or not all(value.isdigit() for value in lengths):
            raise ValueError
        if len([name for name, _ in said if name == b"host"]) != 1 or codings not in ([], [b"chunked"]):
            raise ValueError
        body = await _chunks(reader) if codings else await reader.readexactly(int(lengths[0]) if lengths else 0)
        return Seen(line[1], line[2], tuple(sorted(said)), body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = b""
    while True:
        size = (await reader.readuntil(b"\r\n"))[:-2]
        if not re.fullmatch(rb"[0-9a-f]+", size):
            raise ValueError
        body += await reader.readexactly(int(size, 16))
        if await reader.readexactly(2) != b"\r\n":
            raise ValueError
        if not int(size, 16):
            return body
