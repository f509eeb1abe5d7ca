"""How many requests the demo has on their way: more while they are answered in time, half as many when they are not."""

import asyncio

from tailrace_demo.lanes import Lanes


async def answered(lanes: Lanes, times: int, well: bool) -> None:
    async def request() -> bool:
        await asyncio.sleep(0)
        return well

    for _ in range(times):
        await lanes.send(request, lambda answer: not answer)


async def test_there_are_more_while_they_are_answered_and_fewer_when_not() -> None:
    lanes = Lanes()
    await answered(lanes, 200, well=True)
    grown = lanes.width
    assert 16 < grown < 32
    await answered(lanes, 1, well=False)
    assert lanes.width == grown / 2
    await answered(lanes, 20, well=False)
    assert lanes.width == 2, "somebody always asks"
    await answered(lanes, 5000, well=True)
    assert lanes.width == 32


async def test_no_more_are_on_their_way_and_one_storm_counts_once() -> None:
    lanes = Lanes()
    under_way, most, go = 0, 0, asyncio.Event()

    async def request() -> bool:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await go.wait()
        under_way -= 1
        return False

    asked = [asyncio.create_task(lanes.send(request, lambda answer: not answer)) for _ in range(8)]
    late = asyncio.create_task(lanes.send(request, lambda answer: False))
    await asyncio.sleep(0.01)
    assert (under_way, most) == (8, 8)
    go.set()
    await asyncio.gather(*asked)
    await late
    assert 4 <= lanes.width < 5, "eight that began together were too many once"
    assert most == 8


async def test_what_fails_gives_its_place_back() -> None:
    lanes = Lanes()

    async def broken() -> bool:
        raise RuntimeError

    for _ in range(50):
        try:
            await lanes.send(broken, bool)
        except RuntimeError:
            continue
    await asyncio.wait_for(answered(lanes, 1, well=True), 5)
