"""A file on its way out: in whole or from where a client broke off, saved by a browser and never shown.

The store is asked after the transaction has ended, so that a slow one holds no connection to the database, and before the answer begins, so that
what cannot be had is a problem and no half file.
"""

from collections.abc import AsyncIterator

from fastapi import Request, Response
from starlette.types import Receive, Scope, Send

from tailrace.core.errors import Problem
from tailrace.http.etag import is_seen
from tailrace.http.files.disposition import disposition
from tailrace.observability.logs import log
from tailrace.storage.models import Content
from tailrace.storage.ranges import asked_range
from tailrace.storage.store import Lost, Store

SHOWN = ("Accept-Ranges", "Content-Disposition", "ETag")
"""Headers of every good answer."""
_SAFE = {
    "Accept-Ranges": "bytes",
    "Cache-Control": "private, no-cache, no-transform",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


class FileLost(Problem):
    """500: the store has lost this file; its operator has to bring it back from a backup."""

    slug, title = "file-lost", "The file is not in the store"


class ContentResponse(Response):
    """The content of a version, as much of it as the request asks for. Raises RangeRefused."""

    def __init__(self, request: Request, content: Content) -> None:
        tag = f'"{content.sha256}"'
        # What the client has already is not answered in part either (RFC 9110, 13.2.2), and of no method but GET is a part (14.2).
        whole = is_seen(request, tag) or getattr(request.state, "without_content", False)
        asked = None if whole else asked_range(request.headers, tag, content.size)
        self._start, self._end = asked or (0, content.size)
        self._store: Store = request.app.state.store
        self._key = content.object_key
        headers = {"ETag": tag, "Content-Disposition": disposition(content.name), **_SAFE}
        if asked is not None:
            headers["Content-Range"] = f"bytes {self._start}-{self._end - 1}/{content.size}"
        super().__init__(None, 200 if asked is None else 206, headers, media_type=None)
        self.headers["Content-Type"] = content.media_type
        self.headers["Content-Length"] = str(self._end - self._start)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        chunks = None if scope.get("state", {}).get("without_content") else await self._opened()
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        if chunks is not None:
            async for chunk in chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _opened(self) -> AsyncIterator[bytes]:
        try:
            return await self._store.read(self._key, self._start, self._end)
        except Lost as error:
            log.error("file lost", key=self._key)
            raise FileLost("Tell the operator, with the id of this request.") from error
