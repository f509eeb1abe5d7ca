"""Read-your-writes: who names what has happened is answered from rows that show it, within a second, or gets a 503 and nothing is done."""

import asyncio
from uuid import UUID

import httpx2
import pytest
from toy import Asked, heard, service

from tailrace.core.ids import uuid7
from tailrace.http import read_your_writes
from tailrace.http.routing import tenant_router
from tailrace.messaging.subscribers import Projection
from tailrace.service import Service
from tailrace_testing import Harness

LONGEST = read_your_writes.LONGEST
SOME = UUID("01990000-0000-7000-8000-000000000001")
"""The same in each run, for what becomes part of a test's name."""


def after(key: UUID, sequence: int = 1, topic: str = "asking.events") -> dict[str, str]:
    return {"Tailrace-After": f"{topic}/{key}@{sequence}"}


def _clock() -> float:
    return asyncio.get_running_loop().time()


AT_ONCE = 10.0
"""Far from `LONGEST` in these tests, so that a machine which stands still for a while tells nothing wrong."""


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_your_writes, "LONGEST", 60.0)


@pytest.fixture
def brief(patient: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in the product."""
    monkeypatch.setattr(read_your_writes, "LONGEST", 1.0)


def _refused(answer: httpx2.Response) -> None:
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    assert answer.json()["type"] == "urn:tailrace:problem:not-yet-consistent"


async def _hears(toy: Harness, key: UUID) -> None:
    await toy.deliver(Asked(key=key, text="x"), aggregate_id=key)


async def test_a_read_waits_for_what_it_names(toy: Harness) -> None:
    key = uuid7()
    assert (await toy.client.get(f"/v1/heard/{key}")).status_code == 404
    reading = asyncio.create_task(toy.client.get(f"/v1/heard/{key}", headers=after(key)))
    done, _ = await asyncio.wait([reading], timeout=0.1)
    assert not done
    await _hears(toy, key)
    answer = await reading
    assert (answer.status_code, answer.json()) == (200, {"key": str(key), "times": 1})


async def test_it_waits_for_the_highest_sequence_that_is_named(toy: Harness) -> None:
    key = uuid7()
    await _hears(toy, key)
    headers = {"Tailrace-After": f"asking.events/{key}@2, asking.events/{key}@1"}
    reading = asyncio.create_task(toy.client.get(f"/v1/heard/{key}", headers=headers))
    done, _ = await asyncio.wait([reading], timeout=0.1)
    assert not done
    await _hears(toy, key)
    assert (await reading).json()["times"] == 2


async def test_it_waits_for_all_that_is_named(toy: Harness) -> None:
    first, second = uuid7(), uuid7()
    await _hears(toy, first)
    headers = {"Tailrace-After": f"asking.events/{first}@1, asking.events/{second}@1"}
    reading = asyncio.create_task(toy.client.get(f"/v1/heard/{second}", headers=headers))
    done, _ = await asyncio.wait([reading], timeout=0.1)
    assert not done
    await _hears(toy, second)
    assert (await reading).status_code == 200


async def test_a_write_waits_before_it_runs(toy: Harness) -> None:
    key = uuid7()
    writing = asyncio.create_task(toy.client.post(f"/v1/heard/{key}/notes", headers=after(key)))
    done, _ = await asyncio.wait([writing], timeout=0.1)
    assert not done
    await _hears(toy, key)
    answer = await writing
    assert (answer.status_code, answer.json()["text"]) == (201, "heard 1 times")


def test_a_second_is_the_longest() -> None:
    assert LONGEST == 1


@pytest.mark.usefixtures("brief")
async def test_what_stays_away_is_a_503_after_a_second_and_nothing_was_done(toy: Harness) -> None:
    key = uuid7()
    await _hears(toy, key)
    before = len(await toy.published())
    for method, path in (("GET", f"/v1/heard/{key}"), ("POST", f"/v1/heard/{key}/notes")):
        began = _clock()
        headers = {**after(key, 2), "Idempotency-Key": "kept"}
        _refused(await toy.client.request(method, path, headers=headers))
        assert _clock() - began >= 0.9
    assert len(await toy.published()) == before
    again = await toy.client.post(f"/v1/heard/{key}/notes", headers={**after(key, 1), "Idempotency-Key": "kept"})
    assert again.status_code == 201
    assert "idempotency-replayed" not in again.headers


async def test_a_dead_letter_is_a_503_at_once(toy: Harness) -> None:
    key = uuid7()
    await toy.deliver(Asked(key=key, text="poison"), aggregate_id=key, may_dead_letter=True)
    began = _clock()
    answer = await toy.client.get(f"/v1/heard/{key}", headers=after(key))
    assert _clock() - began < AT_ONCE
    _refused(answer)
    assert "toy.heard" in answer.json()["detail"]


async def test_events_before_the_dead_letter_are_seen(toy: Harness) -> None:
    key = uuid7()
    await _hears(toy, key)
    await toy.deliver(Asked(key=key, text="poison"), aggregate_id=key, may_dead_letter=True)
    assert (await toy.client.get(f"/v1/heard/{key}", headers=after(key, 1))).status_code == 200
    _refused(await toy.client.get(f"/v1/heard/{key}", headers=after(key, 2)))


async def test_only_the_subscribers_of_the_route_are_waited_for(toy: Harness) -> None:
    key = uuid7()
    await _hears(toy, key)
    await toy.admin.execute("DELETE FROM inbox WHERE subscriber <> 'toy.heard'")
    assert (await toy.client.get(f"/v1/heard/{key}", headers=after(key))).status_code == 200
    await toy.admin.execute("DELETE FROM inbox")
    began = _clock()
    assert (await toy.client.get("/v1/notes", headers=after(key))).status_code == 200
    assert _clock() - began < AT_ONCE


@pytest.mark.parametrize("topic", ["toy.events", "order.events", "no.such.topic"])
async def test_its_own_topic_and_what_it_does_not_read_pass_at_once(toy: Harness, topic: str) -> None:
    key = uuid7()
    await _hears(toy, key)
    began = _clock()
    assert (await toy.client.get(f"/v1/heard/{key}", headers=after(key, 99, topic))).status_code == 200
    assert _clock() - began < AT_ONCE


async def test_a_writes_own_answer_can_be_sent_back(toy: Harness) -> None:
    written = await toy.client.post("/v1/notes", json={"text": "x"})
    headers = {"Tailrace-After": written.headers["tailrace-event"]}
    assert (await toy.client.get(f"/v1/notes/{written.json()['id']}", headers=headers)).status_code == 200


@pytest.mark.parametrize(
    "value",
    [
        "nonsense",
        f"asking.events/{SOME}",
        f"asking.events/{SOME}@0",
        f"asking.events/{SOME}@-1",
        f"asking.events/{SOME}@9223372036854775808",
        f"asking.events/{SOME}@1 ; x",
        "asking.events/not-a-uuid@1",
        f"/{SOME}@1",
        f"toy.events/{SOME}@1, nonsense",
        f"asking.events/{SOME}@١",
    ],
)
async def test_a_malformed_header_is_a_400_that_names_it(toy: Harness, value: str) -> None:
    for path in ("/v1/heard/" + str(uuid7()), "/v1/notes"):
        answer = await toy.client.get(path, headers=[(b"Tailrace-After", value.encode())])
        assert answer.status_code == 400
        assert answer.json()["errors"][0]["field"] == "Tailrace-After"


@pytest.mark.usefixtures("brief")
async def test_the_header_is_a_list_that_may_come_several_times(toy: Harness) -> None:
    key = uuid7()
    await _hears(toy, key)
    lines = [("Tailrace-After", after(key)["Tailrace-After"]), ("Tailrace-After", f" , toy.events/{key}@7,")]
    assert (await toy.client.get(f"/v1/heard/{key}", headers=lines)).status_code == 200
    _refused(
        await toy.client.get(f"/v1/heard/{key}", headers=[*lines, ("Tailrace-After", after(uuid7())["Tailrace-After"])])
    )


async def test_nobody_waits_without_a_token(toy: Harness) -> None:
    began = _clock()
    assert (await toy.anonymous().get(f"/v1/heard/{uuid7()}", headers=after(uuid7()))).status_code == 401
    assert _clock() - began < AT_ONCE


async def test_those_who_wait_hold_no_connection(toy: Harness) -> None:
    most = toy.settings.database_pool + toy.settings.database_overflow
    waiting = {
        asyncio.create_task(toy.client.get(f"/v1/heard/{uuid7()}", headers=after(uuid7()))) for _ in range(2 * most)
    }
    done, _ = await asyncio.wait(waiting, timeout=0.2)
    assert not done
    for _ in range(3):
        assert (await toy.client.get("/v1/notes")).status_code == 200
    assert not any(task.done() for task in waiting)
    for task in waiting:
        task.cancel()
    await asyncio.wait(waiting)


def test_the_header_is_part_of_the_description(toy: Harness) -> None:
    paths = toy.app.openapi()["paths"]
    for operation in (paths["/v1/heard/{key}"]["get"], paths["/v1/heard/{key}/notes"]["post"]):
        assert "Tailrace-After" in {parameter["name"] for parameter in operation["parameters"]}
        assert "503" in operation["responses"]
    assert "Tailrace-After" not in {p["name"] for p in paths["/v1/notes"]["get"]["parameters"]}


def test_a_route_reads_subscribers_of_its_own_service() -> None:
    router = tenant_router("/v1/strange", tag="strange", reads=[Projection("toy.stranger")])
    router.get("")(lambda: None)
    with pytest.raises(ValueError, match=r"/v1/strange of toy reads toy\.stranger, which is no subscriber of it"):
        Service(name="toy", subscribers=[heard], routers=[router])
    assert service.routers
