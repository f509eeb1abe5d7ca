"""Reads that the gateway makes for a screen or a document on a connection of the fast path: the same answers, and none that is out of order."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from gateway_stand import Stand, bearer, stand_with
from moody_service import MOODS, SILENT, MoodyService

from gateway.fast.part import Part
from tailrace.core import screens


def _name(mood: str) -> str:
    return mood.replace("-", "_")


_SCREENS = tuple(
    screens.Screen(_name(mood), "A mood.", (screens.Part("mood", f"/v1/down/{mood}"),), of_one=False) for mood in MOODS
)


@asynccontextmanager
async def _stand(folder: Path, service: MoodyService, **settings: Any) -> AsyncIterator[Stand]:
    async with (
        service.running() as address,
        stand_with(folder, upstreams={"down": address}, screens=_SCREENS, **settings) as stand,
    ):
        yield stand


async def _read(stand: Stand, mood: str, headers: dict[str, str]) -> Any:
    async with stand.client.get(f"/v1/screens/{_name(mood)}", headers=headers) as answer:
        return answer.status, await answer.read()


async def _idle(stand: Stand) -> None:
    """Wait for a connection that the next part takes."""
    async with asyncio.timeout(60):
        while (pool := stand.fast._pools.of("down")) is None or (found := pool.take()) is None:  # noqa: ASYNC110
            await asyncio.sleep(0.005)
        pool.put(found)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Part]:
    """Those that went the fast way."""
    made: list[Part] = []
    ask = Part.ask

    async def noted(self: Part, *given: Any) -> Any:
        made.append(self)
        return await ask(self, *given)

    monkeypatch.setattr(Part, "ask", noted)
    return made


async def test_a_part_says_the_same_whatever_its_service_answers(tmp_path: Path, asked: list[Part]) -> None:
    headers, answers = bearer(), dict[str, list[Any]]()
    for fast in (False, True):
        service = MoodyService()
        async with _stand(tmp_path / str(fast), service, fast_path=fast) as stand:
            for mood in MOODS:
                if mood == SILENT:
                    continue
                if fast:
                    await _idle(stand)
                before = len(asked)
                answers.setdefault(mood, []).append(await _read(stand, mood, headers))
                assert len(asked) == before + fast, mood
                # What is said to one is never the answer to another.
                assert b'"mood":good' in (await _read(stand, "plain", headers))[1], mood
    assert {mood: pair for mood, pair in answers.items() if pair[0] != pair[1]} == {}
    assert any(b'"left_out":[{' in body for _, body in (pair[1] for pair in answers.values()))


async def test_one_that_hangs_up_is_asked_again_and_no_more_often_than_otherwise(
    tmp_path: Path, asked: list[Part]
) -> None:
    times = []
    for fast in (False, True):
        service = MoodyService()
        async with _stand(tmp_path / str(fast), service, fast_path=fast) as stand:
            if fast:
                await _idle(stand)
            await _read(stand, "hangs-up", bearer())
        times.append(service.asked.count("hangs-up"))
    assert 2 <= times[1] <= times[0]
    assert len(asked) == 1


async def test_a_connection_that_nobody_waits_on_is_closed(tmp_path: Path, asked: list[Part]) -> None:
    service = MoodyService()
    async with _stand(tmp_path / "one", service) as stand:
        await _idle(stand)
        reading = asyncio.create_task(_read(stand, SILENT, bearer()))
        async with asyncio.timeout(60):
            while SILENT not in service.asked:  # noqa: ASYNC110
                await asyncio.sleep(0.005)
            (part,) = asked
            left = part._connection
            assert left is not None
            reading.cancel()
            # The gateway notices that its client went, and hangs up on the service.
            await service.hung_up.wait()
        pool = stand.fast._pools.of("down")
        assert pool is not None and left not in pool._idle and left not in pool._all


async def test_a_silent_service_is_late(tmp_path: Path, asked: list[Part]) -> None:
    service = MoodyService()
    async with _stand(tmp_path / "one", service) as stand:
        await _idle(stand)
        _, body = await _read(stand, SILENT, bearer())
        assert b"gateway-timeout" in body
        assert len(asked) == 1
        assert b'"mood":good' in (await _read(stand, "plain", bearer()))[1]
