"""Objects that are locked in a bucket: the lock is asked for, read back, and kept by a server that keeps it.

moto's server stores locks and checks no signature. versitygw checks signatures and keeps locks against everybody: its tests run where `make s3` has
built it, or where `versitygw` is on the PATH.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import httpx2
import pytest
from botocore.exceptions import ClientError
from buckets import KEY, SECRET, admin, serving
from pydantic import SecretStr

from tailrace.settings import Settings
from tailrace.storage.sealing import Bucket
from tailrace.storage.store import Store, StoreAway, store_of
from tailrace_testing import today

OBJECT = "archives/0196b0a0-0000-7000-8000-000000000000/0000000001"
DATA = b"what was said" * 100


def later() -> datetime:
    return datetime.combine(today(), time(), UTC) + timedelta(days=30)


@pytest.fixture(scope="module", params=["moto", "versitygw"])
async def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[str, str]]:
    """Which one, and its address; the bucket `locked` has object lock, `plain` has none."""
    async with serving(request.param, tmp_path_factory.mktemp("server")) as address:
        client = admin(address)
        client.create_bucket(Bucket="plain")
        client.create_bucket(Bucket="locked", ObjectLockEnabledForBucket=True)
        yield request.param, address


def store(address: str, bucket: str, secret: str = SECRET) -> Store:
    settings = Settings(
        storage=f"s3://{bucket}/acme", storage_endpoint=address, storage_key=KEY, storage_secret=SecretStr(secret)
    )
    return store_of(settings, "audit")


async def read(place: Store) -> bytes:
    return b"".join([chunk async for chunk in await place.read(OBJECT, 0, len(DATA))])


async def test_a_locked_object_stays_until_its_time_and_the_server_says_so(server: tuple[str, str]) -> None:
    kind, address = server
    place, client = store(address, "locked"), admin(address)
    sealed = await place.seal(OBJECT, DATA, later())
    assert sealed.locked and sealed.version
    assert await read(place) == DATA
    at = {"Bucket": "locked", "Key": f"acme/audit/{OBJECT}", "VersionId": sealed.version}
    kept = client.head_object(**at)
    assert (kept["ObjectLockMode"], kept["ObjectLockRetainUntilDate"]) == ("COMPLIANCE", later())
    assert not await place.unseal(OBJECT, sealed.version)
    with pytest.raises(ClientError, match=r"AccessDenied|Access Denied|locked|protected"):
        client.delete_object(**at)
    if kind == "versitygw":  # moto lets a lock be shortened
        with pytest.raises(ClientError):
            client.put_object_retention(
                **at, Retention={"Mode": "COMPLIANCE", "RetainUntilDate": later() - timedelta(days=9)}
            )
        with pytest.raises(StoreAway):
            await store(address, "locked", secret="not the secret").seal(OBJECT, DATA, later())
    again = await place.seal(OBJECT, DATA, later())
    assert again.locked and again.version != sealed.version, "what is put twice is kept twice, and neither is lost"


async def test_a_legal_hold_keeps_a_version_until_it_is_taken_off(server: tuple[str, str]) -> None:
    _, address = server
    place, client = store(address, "locked"), admin(address)
    key = f"{OBJECT}-held"
    sealed = await place.seal(key, DATA, later())
    assert sealed.version
    at = {"Bucket": "locked", "Key": f"acme/audit/{key}", "VersionId": sealed.version}

    def held() -> bool:
        return bool(client.head_object(**at).get("ObjectLockLegalHoldStatus") == "ON")

    assert not held()
    for on in (True, True, False):
        assert await place.hold(key, sealed.version, on=on)
        assert held() == on
    kept = client.head_object(**at)
    assert kept["ObjectLockRetainUntilDate"] == later(), "its time is what it was"


@pytest.mark.parametrize(
    ("put", "shown", "on", "held"),
    [
        (200, "ON", True, True),
        (200, None, True, False),
        (200, "OFF", True, False),
        (200, None, False, True),
        (200, "ON", False, False),
        (403, "ON", True, False),
    ],
)
async def test_a_legal_hold_is_what_the_store_shows_afterwards(
    put: int, shown: str | None, on: bool, held: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def answer(self: Bucket, method: str, *_: object, **__: object) -> httpx2.Response:
        headers = {"x-amz-object-lock-legal-hold": shown} if shown and method == "HEAD" else {}
        return httpx2.Response(put if method == "PUT" else 200, headers=headers, request=httpx2.Request(method, "/"))

    monkeypatch.setattr(Bucket, "_send", answer)
    assert await store("http://store.example", "locked").hold(OBJECT, "1", on=on) == held


async def test_what_is_not_locked_is_not_held(server: tuple[str, str], tmp_path: Path) -> None:
    _, address = server
    place = store(address, "plain")
    sealed = await place.seal(f"{OBJECT}-plain", DATA, later())
    assert not await place.hold(f"{OBJECT}-plain", sealed.version or "null", on=True)
    assert await place.unseal(f"{OBJECT}-plain", sealed.version)
    folder = store_of(Settings(storage=str(tmp_path)), "audit")
    await folder.seal(OBJECT, DATA, later())
    assert not await folder.hold(OBJECT, "1", on=True)


async def test_a_bucket_without_object_lock_keeps_it_and_does_not_say_that_it_is_locked(
    server: tuple[str, str],
) -> None:
    _, address = server
    place = store(address, "plain")
    sealed = await place.seal(OBJECT, DATA, later())
    assert not sealed.locked
    assert await read(place) == DATA
    assert await place.unseal(OBJECT, sealed.version)
    assert await place.keys() == []


async def test_a_server_that_does_not_answer_is_away() -> None:
    with pytest.raises(StoreAway):
        await store("http://127.0.0.1:1", "locked").seal(OBJECT, DATA, later())
