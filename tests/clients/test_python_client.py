"""What the Python client does by itself, each shown on a server that makes it necessary. `test_clients.py` has the generated ones."""

import asyncio
import csv
import io
import os
import stat
import subprocess
import sys
import threading
import time
import zipfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from answering import Answer, Server, script, tokens_of

from tailrace_client import AsyncClient, Client, Policy, Problem, Stale, Unavailable
from tailrace_client.flow import HANDED_ON, NAMED
from tailrace_testing.gateway import PASSWORD, Gateway

ROOT = Path(__file__).parents[2]
QUICK = Policy(first_pause=0.01, longest_pause=1.0)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, as `make clients` builds it, unpacked."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT / "clients/python", check=True, capture_output=True)
    [wheel] = folder.glob("tailrace_client-*.whl")
    zipfile.ZipFile(wheel).extractall(folder / "package")
    return folder / "package"


@pytest.fixture
def known(installed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tailrace_client.contract import operations

    operations.cache_clear()
    monkeypatch.setattr("tailrace_client.contract.files", lambda package: installed / package)


def test_waits_as_long_as_it_is_asked_to(server: Server) -> None:
    busy = (503, {"Retry-After": "0.3"}, {"type": "urn:tailrace:problem:busy"})
    server.does = script(busy, busy, (200, {}, {"code": "W"}))
    began = time.monotonic()
    with Client(server.url, policy=QUICK) as client:
        assert client.request("GET", "/v1/warehouses").json() == {"code": "W"}
    assert time.monotonic() - began >= 0.6


def test_does_not_wait_longer_than_it_may(server: Server) -> None:
    server.does = lambda *_: (429, {"Retry-After": "600"}, {})
    with Client(server.url, policy=QUICK) as client, pytest.raises(Unavailable) as refused:
        client.request("GET", "/v1/items")
    assert (refused.value.retry_after, len(server.asked)) == (600, 1)


def test_gives_up(server: Server) -> None:
    server.does = lambda *_: (504, {}, {})
    with Client(server.url, policy=QUICK) as client, pytest.raises(Unavailable):
        client.request("GET", "/v1/items")
    assert len(server.asked) == QUICK.attempts


def test_a_write_whose_answer_is_lost_is_done_once(server: Server) -> None:
    done: dict[str, int] = {}

    def do(method: str, path: str, headers: Any) -> Answer:
        first = headers["Idempotency-Key"] not in done
        number = done.setdefault(headers["Idempotency-Key"], len(done) + 1)
        return None if first else (201, {"Idempotency-Replayed": "true"}, {"number": number})

    server.does = do
    with Client(server.url, policy=QUICK) as client:
        assert [client.request("POST", "/v1/orders", json={}).json()["number"] for _ in range(2)] == [1, 2]
    assert (len(done), len(server.asked)) == (2, 4)


def test_what_was_written_in_one_company_is_not_waited_for_in_another(server: Server) -> None:
    """Nobody there hears of it: every read would be refused for a minute."""

    def do(method: str, path: str, headers: Any) -> Answer:
        written = method == "POST" and path == "/v1/items"
        return 200, {"Tailrace-Event": "catalog.events/1@1"} if written else {}, tokens_of("new")

    server.does = do
    with Client(server.url) as client:
        client.log_in("brassworks", "ada@b.example", "secret")
        client.request("POST", "/v1/items", json={})
        for tenant in ("tinworks", "brassworks"):
            client.log_in(tenant, "ada@b.example", "secret")
            client.request("GET", "/v1/orders")
    named = [headers.get("Tailrace-After") for method, _, headers in server.asked if method == "GET"]
    assert named == [None, "catalog.events/1@1"]


def test_what_was_written_belongs_to_the_company_that_it_was_sent_to(server: Server) -> None:
    """Somebody logs in elsewhere while the answer is on its way."""
    sent, other = threading.Event(), threading.Event()

    def do(method: str, path: str, headers: Any) -> Answer:
        if path == "/v1/items":
            sent.set()
            assert other.wait(60)
            return 200, {"Tailrace-Event": "catalog.events/1@1"}, {}
        return 200, {}, tokens_of("new")

    server.does = do
    with Client(server.url) as client, ThreadPoolExecutor(1) as beside:
        client.log_in("brassworks", "ada@b.example", "secret")
        written = beside.submit(client.request, "POST", "/v1/items", json={})
        assert sent.wait(60)
        client.log_in("tinworks", "ada@b.example", "secret")
        other.set()
        written.result()
        client.request("GET", "/v1/orders")
    assert [headers.get("Tailrace-After") for method, _, headers in server.asked if method == "GET"] == [None]


def test_what_can_be_read_only_once_is_not_sent(server: Server) -> None:
    with Client(server.url) as client, pytest.raises(TypeError, match="bytes or text"):
        client.request("POST", "/v1/imports", content=iter([b"a", b"b"]))
    assert server.asked == []


def test_a_refusal_of_something_between_is_a_problem_too(server: Server) -> None:
    for said in ({"errors": None}, {"errors": "no"}, {"errors": ["no", None]}, {"errors": {"a": 1}}, ["no"]):
        server.does = lambda *_, said=said: (400, {"Retry-After": "inf"}, said)
        with Client(server.url) as client, pytest.raises(Problem) as refused:
            client.request("GET", "/v1/items")
        assert (refused.value.errors, refused.value.retry_after) == ([], None)


def test_a_log_in_has_no_key_wherever_the_gateway_is(server: Server) -> None:
    server.does = lambda *_: (200, {}, tokens_of("new"))
    with Client(f"{server.url}/behind") as client:
        client.log_in("brassworks", "ada@b.example", "secret")
    assert [(path, headers.get("Idempotency-Key")) for _, path, headers in server.asked] == [
        ("/behind/v1/auth/login", None)
    ]


def test_hands_on_what_it_wrote_itself(server: Server) -> None:
    server.does = lambda method, *_: (200, {"Tailrace-Event": "catalog.events/1@1"} if method == "POST" else {}, {})
    with Client(server.url) as client:
        other = client.session()
        client.request("POST", "/v1/items", json={})
        client.request("GET", "/v1/orders")
        other.request("GET", "/v1/orders")
    assert server.heads("Tailrace-After") == [None, "catalog.events/1@1", None]


def test_hands_on_its_last_writes_each_aggregate_once(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    said = iter(["a/1@9, b/1@1", "a/1@10", "a/1@8", *(f"c/{n}@1" for n in range(NAMED - 1))])
    server.does = lambda method, *_: (200, {"Tailrace-Event": next(said)} if method == "POST" else {}, {})
    with Client(server.url) as client:
        for _ in range(3):
            client.request("POST", "/v1/items", json={})
        client.request("GET", "/v1/orders")
        assert server.heads("Tailrace-After")[-1] == "b/1@1, a/1@10"
        for _ in range(NAMED - 1):
            client.request("POST", "/v1/items", json={})
        client.request("GET", "/v1/orders")
        named = (server.heads("Tailrace-After")[-1] or "").split(", ")
        assert (len(named), named[:2]) == (NAMED, ["a/1@10", "c/0@1"])
        later = time.monotonic() + HANDED_ON
        monkeypatch.setattr(time, "monotonic", lambda: later)
        client.request("GET", "/v1/orders")
    assert server.heads("Tailrace-After")[-1] is None


def test_a_refusal_is_typed(server: Server) -> None:
    said = {"type": "urn:tailrace:problem:stale", "title": "Changed meanwhile", "detail": "2", "request_id": "r"}
    server.does = lambda *_: (412, {}, {**said, "errors": [{"field": "If-Match", "detail": "is 1"}]})
    with Client(server.url) as client, pytest.raises(Stale) as refused:
        client.request("PUT", "/v1/items/1", json={}, if_match='"1"')
    problem: Problem = refused.value
    assert (problem.slug, problem.request_id, problem.errors[0].field) == ("stale", "r", "If-Match")
    assert server.heads("If-Match") == ['"1"']


ROWS = 2500


def _pages(method: str, path: str, headers: Any) -> Answer:
    asked = parse_qs(urlsplit(path).query)
    begin, limit = int(asked.get("cursor", ["0"])[0]), int(asked["limit"][0])
    end = min(begin + limit, ROWS)
    return 200, {}, {"items": [{"id": n} for n in range(begin, end)], "next_cursor": str(end) if end < ROWS else None}


@pytest.mark.usefixtures("known")
def test_pages_through_2500_rows(server: Server) -> None:
    server.does = _pages
    with Client(server.url) as client:
        assert [row["id"] for row in client.every("orders.list", status=["draft"])] == list(range(ROWS))
        assert len(server.asked) == 13
        with pytest.raises(TypeError, match="colour"):
            client.call("orders.list", colour="red")
        server.does = lambda *_: (200, {}, {})
        client.call("orders.confirm", order_id="a/b")
        for nowhere in ("..", "", None):
            with pytest.raises(TypeError, match="order_id"):
                client.call("orders.confirm", order_id=nowhere)
        server.does = lambda *_: (200, {"Content-Type": "application/x-ndjson"}, {})
        assert client.call("audit.read_audit_siem") == b"{}"
    assert server.asked[-2][:2] == ("POST", "/v1/orders/a%2Fb/confirm")


@pytest.mark.usefixtures("known")
async def test_pages_through_2500_rows_awaited(server: Server) -> None:
    server.does = _pages
    async with AsyncClient(server.url) as client:
        assert [row["id"] async for row in client.every("orders.list")] == list(range(ROWS))


def _command(installed: Path, home: Path, url: str, *said: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(installed), "XDG_CONFIG_HOME": str(home), "TAILRACE_URL": url}
    code = "from tailrace_client.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *said], input=typed, env=environment, capture_output=True, text=True, check=False
    )


def test_the_command(server: Server, installed: Path, tmp_path: Path) -> None:
    server.does = lambda *_: (200, {}, tokens_of("kept"))
    assert (
        _command(installed, tmp_path, server.url, "login", "brassworks", "ada@b.example", typed="secret\n").returncode
        == 0
    )
    kept = tmp_path / "tailrace/tokens.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert "secret" not in kept.read_text()
    server.does = _pages
    listed = _command(installed, tmp_path, server.url, "call", "orders.list", "status=draft", "--all", "-o", "csv")
    assert len(list(csv.DictReader(io.StringIO(listed.stdout)))) == ROWS, listed.stderr
    assert server.heads("Authorization")[-1] == "Bearer kept"
    row = {"name": "a;=1+1", "note": "=1", "net": -5, "rate": "-1.50"}
    server.does = lambda *_: (200, {}, {"items": [row], "next_cursor": None})
    listed = _command(installed, tmp_path, server.url, "call", "orders.list", "-o", "csv")
    (shown,) = csv.DictReader(io.StringIO(listed.stdout))
    assert shown == {"name": "a;'=1+1", "note": "'=1", "net": "-5", "rate": "-1.50"}, listed.stderr
    assert listed.stderr == ""
    fresh = {"complete_until": "2026-10-11T03:00:00Z", "set_aside": 1}
    page = {"items": [{"address": {"city": "東京"}}], "next_cursor": "2", "freshness": fresh}
    server.does = lambda *_: (200, {}, page)
    listed = _command(installed, tmp_path, server.url, "call", "orders.list", "-o", "csv")
    assert "東京" in listed.stdout and "2026-10-11" not in listed.stdout
    assert listed.stderr.splitlines() == [
        "There are more: --all lists them.",
        "Complete until 2026-10-11T03:00:00Z. Events set aside: 1.",
    ]
    server.does = lambda *_: (
        422,
        {},
        {"title": "Not valid", "errors": [{"field": "/sku", "detail": "Field required"}]},
    )
    refused = _command(installed, tmp_path, server.url, "call", "items.create", "--body", "-", typed="{}")
    assert (refused.returncode, "/sku: Field required" in refused.stderr) == (1, True), refused.stderr
    assert _command(installed, tmp_path, server.url, "call", "no.such").returncode == 2


async def test_the_example(gateway: Gateway, installed: Path) -> None:
    member = await gateway.new_tenant()
    told = {"URL": gateway.url, "TENANT": member.slug, "EMAIL": member.email, "PASSWORD": PASSWORD}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, str(ROOT / "clients/python/examples/sell.py")),
        env={**os.environ, "PYTHONPATH": str(installed), **told},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await process.communicate())[0].decode()
    assert process.returncode == 0, said
    refused, sold = said.splitlines()
    assert refused.startswith("409 ")
    number, *listed = sold.split()
    assert number in listed
