"""An answer that is not plain, on its way to the ASGI path: read by aiohttp, as that path's own are."""

import asyncio
from collections.abc import Mapping
from typing import Any, Self

import aiohttp
from aiohttp.client_proto import ResponseHandler

from gateway.forward import HEADER_SIZE
from gateway.refusals import UpstreamLate

_FIRST_FINAL, _SWITCHING = 200, 101


class Passed:
    """`gateway.begun.Incoming`: the head of the answer, and its body while it comes."""

    def __init__(self, handler: ResponseHandler, message: Any, content: aiohttp.StreamReader) -> None:
        self._handler = handler
        self.status: int = message.code
        self.raw_headers: tuple[tuple[bytes, bytes], ...] = message.raw_headers
        self.content = content
        headers: Mapping[str, str] = message.headers
        length = headers.get("Content-Length", "")
        self.content_length = int(length) if length.isdigit() else None

    async def read(self) -> bytes:
        return await self.content.read()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._handler.close()


class AnswerComing:
    """`gateway.begun.Coming`: takes over the connection that the answer comes on, and closes it in the end."""

    def __init__(self, transport: asyncio.Transport, data: bytes, service: str, within: float) -> None:
        self._service, self._within = service, within
        self._handler = ResponseHandler(asyncio.get_running_loop())
        self._handler.connection_made(transport)
        transport.set_protocol(self._handler)
        self._handler.set_response_params(read_until_eof=True, auto_decompress=False, max_field_size=HEADER_SIZE)
        self._handler.data_received(data)

    async def head(self) -> Passed:
        try:
            async with asyncio.timeout(self._within):
                while True:
                    message, content = await self._handler.read()
                    if message.code >= _FIRST_FINAL or message.code == _SWITCHING:
                        return Passed(self._handler, message, content)
        except TimeoutError as error:
            if isinstance(error, aiohttp.ClientError):
                raise
            raise UpstreamLate(self._service, self._within) from error

    def close(self) -> None:
        self._handler.close()
