"""The tokens of the Python client: renewed before they end, once however many wait, and never sent a second time."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from answering import Answer, Server, script, tokens_of

from tailrace_client import AsyncClient, Client, NotLoggedIn, Policy, Tokens, Unavailable

QUICK = Policy(first_pause=0.01, longest_pause=1.0)


def test_a_refresh_whose_answer_is_lost_is_not_sent_again(server: Server) -> None:
    """A second use of a refresh token counts as theft, and ends the session."""
    server.does = lambda *_: None
    with (
        Client(server.url, policy=QUICK, tokens=Tokens("old", "once", time.time())) as client,
        pytest.raises(NotLoggedIn),
    ):
        with pytest.raises(httpx2.TransportError):
            client.request("GET", "/v1/items")
        server.does = lambda *_: (401, {}, {})
        client.request("GET", "/v1/items")
    assert [path for _, path, _ in server.asked] == ["/v1/auth/refresh", "/v1/items"]


def test_the_old_token_is_used_while_it_is_good(server: Server) -> None:
    server.does = lambda method, path, headers: (503, {}, {}) if "refresh" in path else (200, {}, {})
    with Client(server.url, policy=QUICK, tokens=Tokens("old", "once", time.time() + 30)) as client:
        for _ in range(2):
            client.request("GET", "/v1/items")
        assert _refreshes(server) == QUICK.attempts, "it is not tried again at once"
        assert server.heads("Authorization")[-2:] == ["Bearer old"] * 2
        client.identity.tokens = Tokens("old", "once", time.time())
        with pytest.raises(Unavailable):
            client.request("GET", "/v1/items")


async def test_who_no_longer_waits_does_not_end_the_renewal(server: Server) -> None:
    """Its refresh token is used up: were the answer lost, everybody would have to log in."""
    came, go, told = threading.Event(), threading.Event(), list[str]()

    def do(method: str, path: str, headers: Any) -> Answer:
        if path != "/v1/auth/refresh":
            return 200, {}, {}
        came.set()
        go.wait()
        return 200, {}, tokens_of("new")

    server.does = do
    old = Tokens("old", "once", time.time())
    async with AsyncClient(server.url, tokens=old, renewed=lambda fresh: told.append(fresh.access)) as client:
        asking = asyncio.create_task(client.request("GET", "/v1/items"))
        await asyncio.to_thread(came.wait)
        asking.cancel()
        await asyncio.wait([asking])
        go.set()
        await client.session().request("GET", "/v1/items")
    assert (_refreshes(server), told) == (1, ["new"])
    assert server.heads("Authorization")[-1] == "Bearer new"


async def test_a_renewal_whose_answer_is_lost_is_told_to_all_and_not_sent_again(server: Server) -> None:
    server.does = lambda *_: None
    async with AsyncClient(server.url, policy=QUICK, tokens=Tokens("old", "once", time.time())) as client:
        asked = [client.request("GET", "/v1/items") for _ in range(3)]
        failed = await asyncio.gather(*asked, return_exceptions=True)
        assert [isinstance(each, httpx2.TransportError) for each in failed] == [True] * 3
        server.does = lambda *_: (401, {}, {})
        with pytest.raises(NotLoggedIn):
            await client.request("GET", "/v1/items")
    assert _refreshes(server) == 1


@pytest.mark.parametrize("unsent", [httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout])
def test_a_refresh_token_that_was_never_sent_is_kept(
    server: Server, monkeypatch: pytest.MonkeyPatch, unsent: type[httpx2.TransportError]
) -> None:
    tokens = Tokens("old", "once", time.time())
    with Client(server.url, policy=Policy(attempts=1), tokens=tokens) as client:
        with monkeypatch.context() as away:
            away.setattr(client._http, "send", lambda request: (_ for _ in ()).throw(unsent("nobody there")))
            with pytest.raises(unsent):
                client.request("GET", "/v1/items")
        server.does = script((200, {}, tokens_of("new")), (200, {}, {}))
        client.request("GET", "/v1/items")
    assert server.heads("Authorization")[-1] == "Bearer new"


def test_new_tokens_are_kept_although_they_could_not_be_told(server: Server) -> None:
    def full(tokens: Tokens) -> None:
        raise OSError("no space left")

    server.does = script((200, {}, tokens_of("new")), (200, {}, {}))
    with Client(server.url, tokens=Tokens("old", "once", time.time()), renewed=full) as client:
        with pytest.raises(OSError, match="no space left"):
            client.request("GET", "/v1/items")
        client.request("GET", "/v1/items")
        assert client.identity.tokens is not None
        assert client.identity.tokens.refresh == "next-new", "it can be renewed again"
    assert server.heads("Authorization")[-1] == "Bearer new"


def test_renews_before_the_end_and_tells_it_first(server: Server) -> None:
    told: list[str] = []
    server.does = script((200, {}, tokens_of("new")), (200, {}, {}))
    tokens = Tokens("old", "once", time.time() + 30)
    with Client(server.url, tokens=tokens, renewed=lambda fresh: told.append(fresh.access)) as client:
        client.request("GET", "/v1/items")
    assert told == ["new"]
    assert server.heads("Authorization")[1:] == ["Bearer new"]


def _revoked(method: str, path: str, headers: Any) -> Answer:
    if path == "/v1/auth/refresh":
        return 200, {}, tokens_of("new")
    return (
        (200, {}, {})
        if headers["Authorization"] == "Bearer new"
        else (401, {}, {"type": "urn:tailrace:problem:token-revoked"})
    )


def _refreshes(server: Server) -> int:
    return sum(path == "/v1/auth/refresh" for _, path, _ in server.asked)


def test_a_storm_of_401_refreshes_once(server: Server) -> None:
    gate = threading.Barrier(8)

    def do(method: str, path: str, headers: Any) -> Answer:
        if headers["Authorization"] == "Bearer old":
            gate.wait()
        return _revoked(method, path, headers)

    server.does = do
    with Client(server.url, tokens=Tokens("old", "once")) as client, ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: client.request("GET", "/v1/items"), range(8)))
    assert _refreshes(server) == 1


async def test_a_storm_of_401_refreshes_once_awaited(server: Server) -> None:
    server.does = _revoked
    async with AsyncClient(server.url, tokens=Tokens("old", "once")) as client:
        await asyncio.gather(*(client.request("GET", "/v1/items") for _ in range(8)))
    assert _refreshes(server) == 1


def test_401_after_the_refresh_is_told(server: Server) -> None:
    server.does = lambda method, path, headers: (200, {}, tokens_of("new")) if "refresh" in path else (401, {}, {})
    with Client(server.url, tokens=Tokens("old", "once")) as client, pytest.raises(NotLoggedIn):
        client.request("GET", "/v1/items")
    assert _refreshes(server) == 1
