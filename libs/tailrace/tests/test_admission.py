"""A process that is late takes on less, a burst is no overload, and nobody works for a caller who is gone or has given up."""

import asyncio
from types import SimpleNamespace
from typing import Any

import pytest

from tailrace.core.errors import Unavailable
from tailrace.http.protocol.admission import ALWAYS, DEADLINE, HANG_UP, AdmissionControl, Limit, Overloaded, deadline_of


def test_a_process_that_stays_late_takes_on_less_and_recovers() -> None:
    limit = Limit(100)
    limit.busy = 40
    for _ in range(10):
        limit.note(0.5)
    assert limit.now == 100, "a burst"
    limit.note(0.5)
    assert limit.now == pytest.approx(41 * 0.9)
    for _ in range(100):
        limit.note(0.5)
    assert limit.now == ALWAYS
    for _ in range(200):
        limit.note(0.0)
    assert limit.now == 100


async def test_a_place_is_held_until_the_answer_begins() -> None:
    limit, went = Limit(1), asyncio.Event()
    begun, told = asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await went.wait()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        told.set()
        await asyncio.Event().wait()

    first = asyncio.create_task(_ask(app, limit))
    await begun.wait()
    with pytest.raises(Overloaded):
        await _ask(app, limit)
    went.set()
    await told.wait()
    assert limit.busy == 0
    first.cancel()


@pytest.mark.parametrize(("method", "ends"), [("GET", True), ("POST", False)])
async def test_a_read_ends_when_its_caller_hangs_up_and_a_write_is_finished(method: str, ends: bool) -> None:
    limit, begun, go_on, finished = Limit(5), asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        begun.set()
        await go_on.wait()
        finished.set()

    scope = _scope(method, limit)
    work = asyncio.create_task(AdmissionControl(app)(scope, _nothing, _nothing))
    await begun.wait()
    scope["state"].get(HANG_UP, lambda: None)()
    if not ends:
        go_on.set()
    await work
    assert finished.is_set() is not ends
    assert limit.busy == 0


async def test_a_read_ends_with_the_time_that_its_caller_gives() -> None:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.Event().wait()

    with pytest.raises(Unavailable, match="time that the caller gave"):
        await _ask(app, None, (DEADLINE.encode(), b"1"))


@pytest.mark.parametrize(
    ("text", "seconds"), [("1500", 1.5), ("0", None), ("-1", None), ("x", None), ("9" * 30, None), ("", None)]
)
def test_what_a_caller_says_of_its_time(text: str, seconds: float | None) -> None:
    scope: dict[str, Any] = {"type": "http", "headers": [(DEADLINE.encode(), text.encode())]}
    assert deadline_of(scope) == seconds


async def _ask(app: Any, limit: Limit | None, *headers: tuple[bytes, bytes]) -> None:
    await AdmissionControl(app)(_scope("GET", limit, *headers), _nothing, _nothing)


def _scope(method: str, limit: Limit | None, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
    app = SimpleNamespace(state=SimpleNamespace(limit=limit))
    return {"type": "http", "method": method, "path": "/v1/x", "headers": list(headers), "app": app, "state": {}}


async def _nothing(*_: Any) -> Any:
    return None
