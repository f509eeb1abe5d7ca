"""A consumer dies at each point between fetch and offset, and at each of a redrive: every event has its effect once, or is a dead letter once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID

import pytest
from failpoints import Failpoint
from forkserver import ForkServer
from scenes import Play, Scene, playing
from toy import Asked, service

from tailrace.core.ids import uuid7
from tailrace_testing.databases import Databases
from tailrace_testing.gateway import eventually
from tailrace_testing.tokens import TestIssuer

AGGREGATES = 6
State = dict[str, Any]


def _asked(scene: Scene, aggregate: UUID, sequence: int, text: str) -> Any:
    harness = scene.harness
    return harness._record(
        Asked(key=aggregate, text=text), aggregate, sequence, harness.tenant, datetime.now(UTC), None
    )


async def _state(scene: Scene) -> State:
    """All that an event may leave: effects, what they published, marks, and dead letters."""
    admin = scene.harness.admin
    texts = await admin.fetch("SELECT text FROM note ORDER BY text")
    letters = await admin.fetchval("SELECT count(*) FROM outbox WHERE topic = 'toy.dlq'")
    marks = await admin.fetch("SELECT subscriber, aggregate_id, sequence FROM inbox WHERE sequence > 0")
    dead_letters = await admin.fetch("SELECT subscriber, sequence, kind FROM dead_letter ORDER BY subscriber, sequence")
    return {
        "heard": {row["key"]: row["times"] for row in await admin.fetch("SELECT key, times FROM heard")},
        "notes": [row["text"] for row in texts],
        "events": len(await scene.harness.published("note.written")),
        "letters": letters,
        "marks": {(row["subscriber"], row["aggregate_id"]): row["sequence"] for row in marks},
        "dead_letters": [tuple(row) for row in dead_letters],
    }


async def _all_read(scene: Scene) -> None:
    await eventually(scene.read, lambda found: found[0] == found[1] > 0, what="the group at the end of its topic")


async def _healthy(point: Failpoint, committed: bool, scene: Scene) -> None:
    """A batch in which nothing is wrong: the second event of one aggregate, and one each of the others."""
    ids = sorted(uuid7() for _ in range(AGGREGATES))
    await scene.produce([_asked(scene, id, 1, "x") for id in ids] + [_asked(scene, ids[0], 2, "x")])
    await scene.start(point).struck()
    end: State = {
        "heard": dict.fromkeys(ids, 1) | {ids[0]: 2},
        "notes": ["x"] * (AGGREGATES + 1),
        "events": AGGREGATES + 1,
        "letters": 0,
        "marks": {(name, id): 2 if id == ids[0] else 1 for id in ids for name in ("toy.heard", "toy.echo", "toy.talk")},
        "dead_letters": [],
    }
    nothing: State = {"heard": {}, "notes": [], "events": 0, "letters": 0, "marks": {}, "dead_letters": []}
    assert await _state(scene) == (end if committed else nothing)
    # With `committed`, all of these are duplicates for whoever comes next.
    assert await scene.read() == (0, AGGREGATES + 1)
    scene.start()
    await _all_read(scene)
    assert await _state(scene) == end


async def _poisoned(point: Failpoint, before: State, scene: Scene) -> None:
    """A batch with one event that one subscriber cannot apply, and a later one of the same aggregate behind it."""
    ids = sorted(uuid7() for _ in range(AGGREGATES))
    sick = ids[2]
    texts = {id: "poison" if id == sick else "x" for id in ids}
    await scene.produce([_asked(scene, id, 1, texts[id]) for id in ids] + [_asked(scene, sick, 2, "x")])
    await scene.start(point).struck()
    state = await _state(scene)
    assert {name: len(state[name]) for name in ("heard", "notes", "marks", "dead_letters")} == before
    assert state["letters"] == len(state["dead_letters"])
    assert state["events"] == len(state["notes"])
    assert (await scene.read())[0] == 0
    scene.start()
    await _all_read(scene)
    assert await _state(scene) == {
        "heard": {id: 1 for id in ids if id != sick},
        "notes": ["poison"] + ["x"] * AGGREGATES,
        "events": AGGREGATES + 1,
        "letters": 1,
        "marks": {("toy.heard", id): 1 for id in ids if id != sick}
        | {(name, id): 2 if id == sick else 1 for id in ids for name in ("toy.echo", "toy.talk")},
        "dead_letters": [("toy.heard", 1, "failed"), ("toy.heard", 2, "behind")],
    }


async def _redriven(point: Failpoint, applied: int, scene: Scene) -> None:
    """Four events of one aggregate wait for another to be heard, and are redriven in sequence by the process itself."""
    waits, awaited = uuid7(), uuid7()
    records = [_asked(scene, waits, 1, f"after {awaited}")]
    records += [_asked(scene, waits, sequence, f"n{sequence}") for sequence in (2, 3, 4)]
    await scene.produce([*records, _asked(scene, awaited, 1, "x")])
    await scene.start(point).struck()
    state = await _state(scene)
    for name, effects in (("toy.heard", state["heard"].get(waits, 0)), ("toy.echo", len(state["notes"]) - 1)):
        done = state["marks"].get((name, waits), 0)
        assert effects == done
        assert [sequence for subscriber, sequence, _ in state["dead_letters"] if subscriber == name] == [
            *range(done + 1, 5)
        ]
    assert sum(state["marks"].get((name, waits), 0) for name in ("toy.heard", "toy.echo")) == applied
    scene.start()
    await eventually(partial(_state, scene), lambda found: not found["dead_letters"], what="no dead letters")
    assert await _state(scene) == {
        "heard": {waits: 4, awaited: 1},
        "notes": sorted(["x", f"after {awaited}", "n2", "n3", "n4"]),
        "events": 5,
        "letters": 2,
        "marks": {
            (name, id): 4 if id == waits else 1
            for id in (waits, awaited)
            for name in ("toy.heard", "toy.echo", "toy.talk")
        },
        "dead_letters": [],
    }
    # One aggregate's events were applied in the order of its sequence, also across the death.
    written = await scene.harness.published("note.written")
    texts = [event.event.model_dump()["text"] for event in written]
    assert [text for text in texts if text != "x"] == [f"after {awaited}", "n2", "n3", "n4"]


def _sizes(heard: int, notes: int, marks: int, dead_letters: int) -> dict[str, int]:
    return {"heard": heard, "notes": notes, "marks": marks, "dead_letters": dead_letters}


PLAYS: dict[str, Play] = {
    "fetched": partial(_healthy, Failpoint("tailrace.messaging.dispatcher:Dispatcher.deliver"), False),
    "some effects of a batch": partial(_healthy, Failpoint("toy:echo.handle", "after", nth=3), False),
    "marks moved": partial(_healthy, Failpoint("tailrace.messaging.dispatcher:move", "after"), False),
    "committed, offset not": partial(_healthy, Failpoint("aiokafka:AIOKafkaConsumer.commit"), True),
    # One by one: of the first event, two subscribers are through, and the third is about to be.
    "isolating": partial(
        _poisoned, Failpoint("tailrace.messaging.dispatcher:Dispatcher._apply", "after", nth=3), _sizes(1, 1, 2, 0)
    ),
    "about to dead-letter": partial(
        _poisoned, Failpoint("tailrace.messaging.dispatcher:Dispatcher._dead_letter"), _sizes(2, 2, 6, 0)
    ),
    "dead-lettering": partial(
        _poisoned, Failpoint("tailrace.messaging.dispatcher:write_dead_letter", "after"), _sizes(2, 2, 6, 0)
    ),
    "dead-lettered": partial(
        _poisoned, Failpoint("tailrace.messaging.dispatcher:Dispatcher._dead_letter", "after"), _sizes(2, 2, 6, 1)
    ),
    "redriven, row not removed": partial(_redriven, Failpoint("tailrace.redrive.redriver:_apply", "after", nth=2), 1),
    "in the middle of a redrive": partial(_redriven, Failpoint("tailrace.redrive.redriver:move", nth=3), 2),
}


@pytest.fixture(scope="module")
async def under_way(
    request: pytest.FixtureRequest, databases: Databases, issuer: TestIssuer, forkserver: ForkServer, kafka: str
) -> AsyncIterator[dict[str, "asyncio.Task[None]"]]:
    async with playing(PLAYS, request, service, "asking.events", databases, issuer, forkserver, kafka) as tasks:
        yield tasks


@pytest.mark.parametrize("play", PLAYS)
async def test_a_consumer_dies(play: str, under_way: dict[str, "asyncio.Task[None]"]) -> None:
    await under_way[play]
