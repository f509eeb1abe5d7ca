"""Where verification keys come from: a new key is known at once, a withdrawn one soon not, and a flood of invented ids costs one fetch a second."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from joserfc.jwk import KeySet, RSAKey

from tailrace.core.errors import Unavailable
from tailrace.http import jwks
from tailrace.http.jwks import PublishedKeys

_PAIR = RSAKey.generate_key(2048)


class Identity:
    """Publishes what it is told to, and counts how often it is asked."""

    def __init__(self) -> None:
        self.published = ["old"]
        self.asked = 0
        self.away = False
        self.url = ""

    async def answer(self, _: web.Request) -> web.Response:
        self.asked += 1
        if self.away:
            return web.Response(status=503)
        key = _PAIR.as_dict(private=False)
        return web.json_response({"keys": [{**key, "kid": id} for id in self.published]})


@pytest.fixture
async def identity() -> AsyncIterator[Identity]:
    identity = Identity()
    app = web.Application()
    app.router.add_get("/keys", identity.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        identity.url = f"http://127.0.0.1:{runner.addresses[0][1]}/keys"
        yield identity
    finally:
        await runner.cleanup()


def _ids(found: KeySet) -> set[str | None]:
    return {key.kid for key in found.keys}


async def test_keys_are_fetched_once_and_kept(identity: Identity) -> None:
    published = PublishedKeys(identity.url)
    found = await asyncio.gather(*(published.current("old") for _ in range(20)))
    assert all(_ids(each) == {"old"} for each in found)
    assert identity.asked == 1


async def test_a_key_that_is_new_is_never_mistaken_for_a_forged_one(identity: Identity) -> None:
    """Although a flood of invented ids has used up this second's fetch."""
    published = PublishedKeys(identity.url)
    assert "invented" not in _ids(await published.current("invented"))
    identity.published.append("new")
    began = time.monotonic()
    flood = [published.current(f"invented-{n}") for n in range(200)]
    *rest, found = await asyncio.gather(*flood, published.current("new"))
    assert _ids(found) == {"old", "new"}
    assert all("invented-1" not in _ids(each) for each in rest)
    assert identity.asked == 2, "all who waited shared one fetch"
    assert time.monotonic() - began < 10


async def test_a_flood_does_not_hold_up_whose_key_is_known(identity: Identity) -> None:
    published = PublishedKeys(identity.url)
    await published.current("old")
    flood = [asyncio.create_task(published.current(f"invented-{n}")) for n in range(50)]
    await asyncio.sleep(0)
    assert _ids(await published.current("old")) == {"old"}
    assert not any(task.done() for task in flood), "it was answered while they waited"
    await asyncio.gather(*flood)


async def test_a_withdrawn_key_is_forgotten_unasked(identity: Identity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwks, "REFRESH_AFTER", 0.0)
    monkeypatch.setattr(jwks, "_AT_MOST_EVERY", 0.0)
    published = PublishedKeys(identity.url)
    await published.current("old")
    identity.published = ["new"]
    assert _ids(await published.current("old")) == {"new"}
    identity.away = True
    assert _ids(await published.current("new")) == {"new"}, "what is at hand goes on being good"


async def test_without_identity_an_unknown_key_cannot_be_judged(identity: Identity) -> None:
    published = PublishedKeys(identity.url)
    await published.current("old")
    identity.away = True
    with pytest.raises(Unavailable):
        await published.current("new")
    assert _ids(await published.current(None)) == {"old"}
