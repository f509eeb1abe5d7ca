"""Waiting until nothing is under way any more: every event on its topic, every reader at the end, nobody with something to redrive."""

import asyncio
import time
from collections.abc import Callable, Sequence

from mix import groups
from mix.databases import Databases
from mix.faults import Done, retried
from mix.topics import Topics

_PAUSE, _AGAIN = 0.5, 2
"""Seconds between two looks, and how often in a row nothing may have changed."""
_SAY = 10.0


async def wait(
    topics: Topics,
    databases: Databases,
    kafka: str,
    consumers: Sequence[str],
    done: Done,
    say: Callable[[str], None],
    within: float,
) -> float:
    """Returns after how many seconds it was quiet. Raises AssertionError with what was not, when it is not quiet in time."""
    began = time.monotonic()
    calm, before, said = 0, -1, began
    while calm < _AGAIN:
        await asyncio.sleep(_PAUSE)
        now, restless = await retried(lambda: _look(topics, databases, kafka, consumers, done))
        if restless and time.monotonic() - said > _SAY:
            said = time.monotonic()
            say(f"… {restless}")
        calm = calm + 1 if not restless and now == before else 0
        before = now
        if time.monotonic() - began > within:
            raise AssertionError(f"not quiet after {within:g} s: {restless or 'events are still being recorded'}")
    return time.monotonic() - began


async def _look(
    topics: Topics, databases: Databases, kafka: str, consumers: Sequence[str], done: Done
) -> tuple[int, str]:
    """How many events there are, and what is still under way, if anything."""
    count = await databases.committed()
    await topics.read_on()
    sent = {record.id for record in topics.records if record.where not in done.forged}
    if len(sent) < count:
        return count, f"{count - len(sent)} events are not on their topics"
    for group in consumers:
        if late := await groups.behind(kafka, group, done.places[group]):
            return count, f"{group} is {late} records behind"
    dead_letters = await databases.dead_letters(set(done.forged))
    waiting = [each for each in dead_letters if done.forged.get(each.where, "late") == "late"]
    if waiting:
        return count, f"{len(waiting)} dead letters are left that should come right, the first: {waiting[0]}"
    return await databases.committed(), ""
