"""The one file of a `multipart/form-data` body (RFC 7578), a chunk at a time: nothing of it is kept here."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from tailrace.core.errors import BadRequest, Invalid, MediaTypeRefused, TooLarge
from tailrace.http.protocol.exact_json import WHOLE_BODY
from tailrace.http.protocol.strict import refuse_other_formats

FORM = "multipart/form-data"
FILE = "file"
"""What the part is called that holds the file."""
POINTER = f"/{FILE}"
OVERHEAD = 16 * 1024
"""Bytes that a form takes besides its file, at most."""
_MOST_HEADERS, _LONGEST_HEADER = 8, 4096


@dataclass(frozen=True, slots=True)
class Part:
    """What stands before the file: its name and type as they were sent, the type empty when it was not."""

    filename: str
    media_type: str


@dataclass
class _Seen:
    """What the parser met since it was asked last."""

    chunks: list[bytes] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)
    parts: int = 0
    part: Part | None = None
    complete: bool = False


class FileForm:
    """`part()` first, then `chunks()`. At most `largest` bytes of file."""

    def __init__(self, request: Request, largest: int) -> None:
        """Raises MediaTypeRefused, BadRequest for a body that is no such form."""
        refuse_other_formats(request, FORM)
        said, options = parse_options_header(request.headers.get("content-type"))
        boundary = options.get(b"boundary", b"")
        if said != FORM.encode():
            raise MediaTypeRefused(f"Send the file as {FORM}, and say so.", accept=FORM)
        if not boundary:
            raise BadRequest(f"The Content-Type of {FORM} names no boundary.", field="Content-Type")
        self._largest, self._size = largest, 0
        self._stream = request.stream()
        self._seen = _Seen()
        try:
            self._parser = MultipartParser(
                boundary,
                self._callbacks(),  # type: ignore[arg-type]
                max_header_count=_MOST_HEADERS,
                max_header_size=_LONGEST_HEADER,
            )
        except FormParserError as error:
            raise BadRequest("The boundary of the form is malformed.", field="Content-Type") from error

    async def part(self) -> Part:
        """Raises Invalid for another part than that of the file, BadRequest for what is no form."""
        while self._seen.part is None:
            if not await self._next():
                raise Invalid.field(POINTER, f"The form has no file; send one in the part {FILE}.")
        return self._seen.part

    async def chunks(self) -> AsyncIterator[bytes]:
        """The file. Raises TooLarge, Invalid for a further part, BadRequest for a body that breaks off."""
        more = True
        while more:
            ready, self._seen.chunks = self._seen.chunks, []
            for chunk in ready:
                self._size += len(chunk)
                if self._size > self._largest:
                    raise TooLarge(self._largest)
                yield chunk
            more = await self._next() or bool(self._seen.chunks)

    async def _next(self) -> bool:
        """Read on; whether there was more."""
        async for data in self._stream:
            if data:
                try:
                    self._parser.write(data)
                except FormParserError as error:
                    raise BadRequest(f"The body is no {FORM}.", field=WHOLE_BODY) from error
                return True
        if not self._seen.complete:
            raise BadRequest("The form broke off before its end.", field=WHOLE_BODY)
        return False

    def _callbacks(self) -> dict[str, object]:
        seen = self._seen
        return {
            "on_part_begin": self._on_part_begin,
            "on_header_field": lambda data, start, end: seen.name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: seen.value.extend(data[start:end]),
            "on_header_end": self._on_header_end,
            "on_headers_finished": self._on_headers_finished,
            "on_part_data": lambda data, start, end: seen.chunks.append(data[start:end]),
            "on_end": self._on_end,
        }

    def _on_part_begin(self) -> None:
        self._seen.parts += 1
        if self._seen.parts > 1:
            raise Invalid.field(POINTER, f"The form has more than the one part {FILE}.")

    def _on_header_end(self) -> None:
        seen = self._seen
        try:
            seen.headers[seen.name.decode("ascii").lower()] = seen.value.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Invalid.field(POINTER, "A header of the part, or the name in it, is not UTF-8.") from error
        seen.name, seen.value = bytearray(), bytearray()

    def _on_headers_finished(self) -> None:
        headers = self._seen.headers
        name, filename = _named(headers.get("content-disposition", ""))
        if name != FILE:
            raise Invalid.field(f"/{name[:60]}", f"The form has one part, {FILE}, and no other.")
        if not filename:
            raise Invalid.field(POINTER, "The part has no filename, so that it is no file.")
        transferred = headers.get("content-transfer-encoding", "binary").strip().lower()
        if "content-encoding" in headers or transferred not in {"binary", "8bit", "7bit"}:
            raise Invalid.field(POINTER, "Send the file as it is, in no coding.")
        self._seen.part = Part(filename, headers.get("content-type", ""))

    def _on_end(self) -> None:
        self._seen.complete = True


def _named(disposition: str) -> tuple[str, str]:
    """`name` and `filename` of a part. Browsers write a quote within them as %22 (WHATWG HTML, 4.10.21.8)."""
    # Latin-1 is how the parser takes text apart; the bytes come back as they were.
    kind, options = parse_options_header(disposition.encode().decode("latin-1"))
    if kind != b"form-data":
        return "", ""
    name, filename = (options.get(each, b"").decode("utf-8") for each in (b"name", b"filename"))
    return name, filename.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
