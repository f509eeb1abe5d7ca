"""The port to the object store, on a folder and over the S3 protocol (moto's server): whole or not at all, in bounded memory, by range.

What moto does not prove: it takes every signature, and keeps no promise of durability; neither is asked of it here.
"""

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from pydantic import SecretStr

from tailrace.core.errors import Invalid
from tailrace.settings import Settings
from tailrace.storage.store import Lost, Store, StoreAway, store_of

MEGABYTE = 1024 * 1024
KEY = "0196b0a0-0000-7000-8000-000000000000/customer/0196b0a0-0000-7000-8000-000000000001/a"


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    """The address of an S3 server with the bucket `papers`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    _, port = server.get_host_and_port()
    address = f"http://127.0.0.1:{port}"
    client = boto3.client("s3", "us-east-1", endpoint_url=address, aws_access_key_id="k", aws_secret_access_key="s")
    client.create_bucket(Bucket="papers")
    yield address
    server.stop()


@pytest.fixture(params=["folder", "s3", "s3 with a prefix"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    if request.param == "folder":
        return store_of(Settings(storage=str(tmp_path)), "toy")
    return store_of(
        bucket(request.getfixturevalue("s3"), "acme/prod" if "prefix" in request.param else tmp_path.name), "toy"
    )


def bucket(address: str, prefix: str) -> Settings:
    return Settings(
        storage=f"s3://papers/{prefix}", storage_endpoint=address, storage_key="k", storage_secret=SecretStr("s")
    )


async def pieces(size: int, piece: int = 60_000, fails: Exception | None = None) -> AsyncIterator[bytes]:
    whole = content(size)
    for at in range(0, size, piece):
        yield whole[at : at + piece]
    if fails is not None:
        raise fails


def content(size: int) -> bytes:
    return (b"0123456789abcdef" * (size // 16 + 1))[:size]


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


async def read(store: Store, start: int, end: int) -> bytes:
    return b"".join([chunk async for chunk in await store.read(KEY, start, end)])


@pytest.mark.parametrize("size", [1, MEGABYTE, MEGABYTE + 1, 11 * MEGABYTE + 7], ids=["1", "part", "over", "several"])
async def test_what_is_put_is_read_back_in_whole_and_in_part(store: Store, size: int) -> None:
    await store.put(KEY, pieces(size))
    assert await read(store, 0, size) == content(size)
    middle = (size // 3, size // 3 + max(1, size // 5))
    assert await read(store, *middle) == content(size)[slice(*middle)]
    assert await store.keys() == [KEY]
    await store.delete(KEY)
    assert await store.keys() == []


@pytest.mark.parametrize("size", [1, 2 * MEGABYTE, 12 * MEGABYTE])
async def test_what_broke_off_is_not_there(store: Store, size: int) -> None:
    with pytest.raises(Invalid, match="not a PDF"):
        await store.put(KEY, pieces(size, fails=Invalid("not a PDF")))
    with pytest.raises(Lost):
        await store.read(KEY, 0, 1)
    assert await store.keys() == []


async def test_a_failure_of_the_chunks_is_not_the_stores(store: Store) -> None:
    for size in (1, 12 * MEGABYTE):
        with pytest.raises(ConnectionResetError):
            await store.put(KEY, pieces(size, fails=ConnectionResetError()))


async def test_what_is_not_there_is_deleted_without_a_word(store: Store) -> None:
    await store.delete(KEY)
    with pytest.raises(Lost):
        await store.read(KEY, 0, 1)


async def test_services_of_one_store_do_not_see_each_other(tmp_path: Path, s3: str) -> None:
    for settings in (Settings(storage=str(tmp_path)), bucket(s3, "shared")):
        mine, other = store_of(settings, "toy"), store_of(settings, "toys")
        await mine.put(KEY, pieces(1))
        assert (await mine.keys(), await other.keys()) == ([KEY], [])


async def test_what_an_interrupted_put_left_in_a_folder_goes_with_its_key(tmp_path: Path) -> None:
    store = store_of(Settings(storage=str(tmp_path)), "toy")
    await store.put(KEY, pieces(1))
    left = tmp_path / "toy" / f"{KEY}#1"
    left.write_bytes(b"half")
    await store.delete(KEY)
    assert files_in(tmp_path) == []


async def test_a_folder_is_flushed_with_every_folder_on_the_way(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: set[str] = set()
    really = os.fsync

    def flush(handle: int) -> None:
        flushed.add(os.readlink(f"/proc/self/fd/{handle}"))
        really(handle)

    monkeypatch.setattr(os, "fsync", flush)
    await store_of(Settings(storage=str(tmp_path)), "toy").put(KEY, pieces(1))
    file = tmp_path / "toy" / KEY
    assert flushed == {str(file), *(str(each) for each in list(file.parents)[:4])}


async def test_a_store_that_is_away_says_so_and_not_where_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tailrace.storage.store._RETRY", {"max_retries": 0})
    store = store_of(bucket("http://127.0.0.1:9", "p"), "toy")
    for doing in (store.put(KEY, pieces(1)), store.read(KEY, 0, 1), store.delete(KEY)):
        with pytest.raises(StoreAway) as refusal:
            await doing
        assert (refusal.value.status, "127.0.0.1" in refusal.value.detail) == (503, False)
