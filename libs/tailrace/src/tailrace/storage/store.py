"""Where the bytes lie, behind one port: a folder, or a bucket that speaks S3. An object is there whole or not at all, and is never overwritten.

What `put` has returned for survives the loss of power: a folder's file and the folders on its way are flushed to the disk. Memory is bounded: two
parts for each object that is under way, whatever its size.
"""

import asyncio
import os
from collections.abc import AsyncIterable, AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, S3Store

from tailrace.observability.logs import log
from tailrace.settings import Settings
from tailrace.storage.sealing import Bucket, Sealed, StoreAway

__all__ = ["Lost", "Sealed", "Store", "StoreAway", "store_of"]

S3 = "s3://"
_FOLDER_PART, _S3_PART = 1024 * 1024, 5 * 1024 * 1024
_CHUNK = 64 * 1024
_CLIENT: Any = {"connect_timeout": "3s", "timeout": "30s"}
_RETRY: Any = {"max_retries": 3, "retry_timeout": timedelta(seconds=10)}
_SOON_CLIENT: Any = {"connect_timeout": "1s", "timeout": "4s"}
_SOON_RETRY: Any = {"max_retries": 1, "retry_timeout": timedelta(seconds=4)}


class Lost(Exception):
    """The store does not have an object that it was given."""


class Store:
    """Objects by key. Keys are of `a-z`, `0-9`, `-`, `_` and `/`, and a key is used once."""

    def __init__(
        self, objects: LocalStore | S3Store, *, part: int, folder: Path | None = None, bucket: Bucket | None = None
    ) -> None:
        self._objects = objects
        self._part = part
        self._folder = folder
        self._bucket = bucket

    async def put(self, key: str, chunks: AsyncIterable[bytes]) -> None:
        """Keep what comes. Raises StoreAway, and what `chunks` raises; then there is no object, unless the store could not be told."""
        head = bytearray()
        failed: list[Exception] = []
        rest = _noting(chunks, failed)
        async for chunk in rest:
            head += chunk
            if len(head) > self._part:
                break
        try:
            if len(head) <= self._part:
                await obstore.put_async(self._objects, key, bytes(head), use_multipart=False)
            else:
                parts = _joined(bytes(head), rest)
                del head
                await obstore.put_async(
                    self._objects, key, parts, use_multipart=True, chunk_size=self._part, max_concurrency=1
                )
        except _AWAY as error:
            if failed:
                raise failed[0] from None
            raise _away("put", error) from error
        if self._folder is not None:
            await asyncio.to_thread(_flush, self._folder / key, self._folder)

    async def read(self, key: str, start: int, end: int) -> AsyncIterator[bytes]:
        """The bytes from `start` up to and without `end`; the store has answered when this returns. Raises Lost, StoreAway."""
        try:
            found = await obstore.get_async(self._objects, key, options={"range": (start, end)})
        except FileNotFoundError as error:
            raise Lost(key) from error
        except _AWAY as error:
            raise _away("get", error) from error
        return (bytes(chunk) async for chunk in found.stream(min_chunk_size=_CHUNK))

    def read_now(self, key: str, start: int, end: int) -> bytes:
        """The same for a thread that is not the loop's, as an engine has them; it waits there. Raises Lost, StoreAway."""
        try:
            return bytes(obstore.get_range(self._objects, key, start=start, end=end))
        except FileNotFoundError as error:
            raise Lost(key) from error
        except _AWAY as error:
            raise _away("get", error) from error

    async def delete(self, key: str) -> None:
        """Take an object away, and what an interrupted `put` left of it; nothing when there is none. Raises StoreAway."""
        try:
            await obstore.delete_async(self._objects, key)
        except FileNotFoundError:
            pass
        except _AWAY as error:
            raise _away("delete", error) from error
        if self._folder is not None:
            await asyncio.to_thread(_remove_parts, self._folder / key)

    async def seal(self, key: str, data: bytes, until: datetime) -> Sealed:
        """Keep an object that nobody can take away or change before then, as far as the store has such a lock: a folder has none, nor has a
        bucket without object lock, or one that is reached without a key of its own. Raises StoreAway.
        """
        sealed = None if self._bucket is None else await self._bucket.seal(key, data, until)
        if sealed is None:
            await self.put(key, _at_once(data))
            sealed = Sealed(None, locked=False)
        return sealed

    async def hold(self, key: str, version: str, *, on: bool) -> bool:
        """Let a sealed version stay whatever its time, or no longer. False where the store does not do so. Raises StoreAway."""
        return self._bucket is not None and await self._bucket.hold(key, version, on=on)

    async def unseal(self, key: str, version: str | None) -> bool:
        """Take away what was sealed, the version that was put; False where the store still keeps it. Raises StoreAway."""
        if self._bucket is not None and version is not None:
            return await self._bucket.remove(key, version)
        await self.delete(key)
        return True

    async def keys(self) -> list[str]:
        """Every object there is, for proofs and operators: it costs a listing of the whole store."""
        found = obstore.list(self._objects)
        return sorted([each["path"] async for batch in found for each in batch])


_AWAY = (BaseError, OSError)
"""What obstore raises: errors of its own, and a few of Python's."""


def store_of(settings: Settings, service: str, *, soon: bool = False) -> Store:
    """The store of one service. Makes the folder where there is none. `soon`: for who does without it when it does not answer within seconds."""
    if not settings.storage.startswith(S3):
        folder = Path(settings.storage or settings.data / "files").absolute() / service
        return Store(LocalStore(prefix=folder, mkdir=True), part=_FOLDER_PART, folder=folder)
    bucket, _, prefix = settings.storage.removeprefix(S3).partition("/")
    address = settings.storage_endpoint or None
    options: dict[str, Any] = {"region": settings.storage_region or "us-east-1", "endpoint": address}
    if settings.storage_key and settings.storage_secret:
        options["access_key_id"] = settings.storage_key
        options["secret_access_key"] = settings.storage_secret.get_secret_value()
    client: Any = {
        **(_SOON_CLIENT if soon else _CLIENT),
        "allow_http": address is not None and address.startswith("http://"),
    }
    given = {name: value for name, value in options.items() if value is not None}
    prefix = "/".join(filter(None, [prefix.strip("/"), service]))
    locks = None
    if "access_key_id" in options:
        server = address or f"https://s3.{options['region']}.amazonaws.com"
        names = options["access_key_id"], options["secret_access_key"]
        locks = Bucket(server, bucket, prefix, options["region"], *names)
    retry = _SOON_RETRY if soon else _RETRY
    objects = S3Store(bucket, prefix=prefix, client_options=client, retry_config=retry, **given)
    return Store(objects, part=_S3_PART, bucket=locks)


async def _at_once(data: bytes) -> AsyncIterator[bytes]:
    yield data


async def _noting(chunks: AsyncIterable[bytes], failed: list[Exception]) -> AsyncIterator[bytes]:
    """What goes wrong with the chunks is none of the store's, whatever kind of error it is."""
    try:
        async for chunk in chunks:
            yield chunk
    except Exception as error:
        failed.append(error)
        raise


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for chunk in rest:
        yield chunk


def _away(what: str, error: BaseException) -> StoreAway:
    # Its text names paths and addresses, which are the operator's alone.
    log.warning("object store failed", operation=what, error=type(error).__name__, reason=str(error)[:200])
    return StoreAway("The store of files does not answer; try again shortly.")


def _flush(file: Path, root: Path) -> None:
    for path in (file, *file.parents):
        handle = os.open(path, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
        if path == root:
            return


def _remove_parts(file: Path) -> None:
    for part in file.parent.glob(f"{file.name}#*"):
        part.unlink(missing_ok=True)
