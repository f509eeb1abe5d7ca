"""A file on its way in: streamed to the store while it is hashed and looked at, before the transaction that makes it somebody's.

In order: note the upload, store the bytes, and in the request's transaction take the note away and write the rows. Cut off before its commit, the
upload leaves a note, by which `sweeper` finds the object; after it, there is nothing to clean up.
"""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from uuid import UUID

from fastapi import Request
from sqlalchemy import delete, insert, literal

from tailrace.core.context import Context
from tailrace.core.errors import Invalid, RequestTimeout, Unavailable
from tailrace.core.ids import uuid7
from tailrace.db.database import Database, Tx
from tailrace.db.tables import upload
from tailrace.observability.logs import log
from tailrace.storage.form import POINTER, FileForm
from tailrace.storage.media_types import Sniffer, declared_type
from tailrace.storage.names import file_name
from tailrace.storage.store import Store
from tailrace.storage.sweeper import LONGEST_UPLOAD, discard

_WAIT = 3.0
"""Seconds that an upload waits for its turn."""


class UploadSwept(Unavailable):
    """503: the upload was given up before its end, and has to be sent again."""

    slug = "upload-given-up"


@dataclass(frozen=True, slots=True)
class Received:
    """A file that is in the store and belongs to nothing yet."""

    id: UUID
    key: str
    name: str
    media_type: str
    size: int
    sha256: str

    def fingerprint(self) -> bytes:
        """What stands for the body where the same request is to be known again."""
        return json.dumps([self.name, self.media_type, self.size, self.sha256]).encode()

    async def claim(self, tx: Tx) -> None:
        """Take the note away with this transaction: from its commit on, the object is kept. Raises UploadSwept."""
        gone = await tx.execute(delete(upload).where(upload.c.id == self.id).returning(literal(1)))
        if gone.first() is None:
            raise UploadSwept("It took too long; send the file again.")


@dataclass
class Uploads:
    """The uploads of one process, at most `most` at once."""

    most: int
    _turns: asyncio.Semaphore = field(init=False)

    def __post_init__(self) -> None:
        self._turns = asyncio.Semaphore(self.most)

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Raises Unavailable when there is none soon."""
        try:
            async with asyncio.timeout(_WAIT):
                await self._turns.acquire()
        except TimeoutError:
            raise Unavailable("Too many files are on their way in at the moment.", retry_after=2) from None
        try:
            yield
        finally:
            self._turns.release()

    @asynccontextmanager
    async def receive(
        self, request: Request, folder: str, largest: int, taken: frozenset[str]
    ) -> AsyncIterator[Received]:
        """The file of the request, in the store under `folder`. When this ends, what nobody has claimed is gone again.

        Raises Invalid, TooLarge, BadRequest, MediaTypeRefused, RequestTimeout, Unavailable.
        """
        form = FileForm(request, largest)
        part = await form.part()
        media_type = declared_type(part.media_type, taken, POINTER)
        name = file_name(part.filename, media_type, POINTER)
        database: Database = request.app.state.database
        store: Store = request.app.state.store
        id = uuid7()
        key = f"{folder}/{id}"
        async with self.turn():
            async with database.transaction(Context(tenant_id=None)) as tx:
                await tx.execute(insert(upload).values(id=id, object_key=key))
            try:
                watched = _Watched(form, Sniffer(media_type, POINTER))
                try:
                    async with asyncio.timeout(LONGEST_UPLOAD):
                        await store.put(key, watched.chunks())
                except TimeoutError:
                    raise RequestTimeout("The file did not arrive in time.") from None
                yield Received(id, key, name, media_type, watched.size, watched.sha256)
            finally:
                await _tidy(database, store, id)


class _Watched:
    """A file that is hashed, measured and looked at while it passes. What is wrong with it shows before its last byte is stored."""

    def __init__(self, form: FileForm, sniffer: Sniffer) -> None:
        self._form, self._sniffer = form, sniffer
        self._hash = hashlib.sha256()
        self.size = 0

    @property
    def sha256(self) -> str:
        return self._hash.hexdigest()

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._form.chunks():
            self._sniffer.feed(chunk)
            self._hash.update(chunk)
            self.size += len(chunk)
            yield chunk
        if self.size == 0:
            raise Invalid.field(POINTER, "The file is empty.")
        self._sniffer.finish()


async def _tidy(database: Database, store: Store, id: UUID) -> None:
    """What cannot be done now the sweeper does later."""
    try:
        await asyncio.shield(discard(database, store, id))
    except Exception as error:
        log.warning("upload not discarded", upload=str(id), error=type(error).__name__)
