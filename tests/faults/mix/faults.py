"""Getting in the way of a running fleet: each fault as it was planned, done to real processes, real offsets and real topics."""

import asyncio
import os
import random
import signal
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiokafka import ConsumerRecord, TopicPartition
from aiokafka.errors import KafkaError
from command import Command

from mix import groups, poison
from mix.nemeses import Fault
from mix.topics import Topics, Where, produce
from tailrace.stack.embedded import Stack

_COME_BACK = 120.0


@dataclass
class Done:
    """What was done to the fleet so far, for the checks and the report."""

    counts: Counter[str] = field(default_factory=Counter)
    """`read again`, `republished`, `forged`: records; and what commands said."""
    forged: dict[Where, str] = field(default_factory=dict)
    """The sort of each forged record, by where it lies."""
    republished: set[Where] = field(default_factory=set)
    late: list[ConsumerRecord] = field(default_factory=list)
    """Forged records that wait for one before them."""
    places: dict[str, set[TopicPartition]] = field(default_factory=lambda: defaultdict(set))
    """What each rewound group had read."""


class Nemesis:
    """Inflicts faults on a fleet. `topics` is what it knows of the events so far; `tenants` are those that it may forge for."""

    def __init__(self, stack: Stack, topics: Topics, tenants: list[str]) -> None:
        self._stack = stack
        self._topics = topics
        self._tenants = tenants
        self.done = Done()

    async def inflict(self, fault: Fault) -> None:
        """Returns when the fault is done; the fleet may still be coming back from it."""
        kinds: dict[str, Callable[[Fault], Awaitable[None]]] = {
            "kill": self._kill,
            "strike": self._kill,
            "pause": self._pause,
            "rewind": self._rewind,
            "forget": self._rewind,
            "poison": self._poison,
            "republish": self._republish,
            "redrive": self._redrive,
            "rebuild": self._rebuild,
        }
        await kinds[fault.kind](fault)
        self.done.counts[str(fault)] += 1

    async def pid(self, name: str) -> int:
        """Of the live process of that name, as soon as there is one."""
        deadline = asyncio.get_running_loop().time() + _COME_BACK
        while (pid := self._stack.pids().get(name)) is None or not _alive(pid):
            if asyncio.get_running_loop().time() > deadline:
                raise TimeoutError(f"{name} did not come back within {_COME_BACK:g} s")
            await asyncio.sleep(0.05)
        return pid

    async def _kill(self, fault: Fault) -> None:
        os.kill(await self.pid(fault.victim), signal.SIGKILL)

    async def _pause(self, fault: Fault) -> None:
        pid = await self.pid(fault.victim)
        os.kill(pid, signal.SIGSTOP)
        try:
            await asyncio.sleep(fault.amount)
        finally:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    async def _rewind(self, fault: Fault) -> None:
        """While the supervisor sleeps, the service is ended, and nobody starts it again before its offsets are moved."""
        supervisor, service = await self.pid("fleet"), await self.pid(fault.victim)
        os.kill(supervisor, signal.SIGSTOP)
        try:
            os.kill(service, signal.SIGTERM if fault.gently else signal.SIGKILL)
            await retried(lambda: groups.wait_until_empty(self._stack.kafka, fault.victim))
            before = await retried(lambda: groups.committed(self._stack.kafka, fault.victim))
            await retried(lambda: self._move(fault, before))
        finally:
            with suppress(ProcessLookupError):
                os.kill(supervisor, signal.SIGCONT)

    async def _move(self, fault: Fault, before: dict[TopicPartition, int]) -> None:
        kafka, group = self._stack.kafka, fault.victim
        self.done.places[group].update(before)
        if fault.kind == "forget":
            await groups.delete(kafka, group)
            self.done.counts["read again"] += sum(before.values())
            return
        back = {place: max(0, offset - fault.amount) for place, offset in before.items()}
        await groups.move_to(kafka, group, back)
        self.done.counts["read again"] += sum(before[place] - offset for place, offset in back.items())

    async def _poison(self, fault: Fault) -> None:
        dice = random.Random(fault.dice)
        await retried(self._topics.read_on)
        forged = poison.forge(dice, dice.choice(self._tenants), self._real())
        places = await produce(self._stack.kafka, [record for _, record in forged])
        self._note(zip(places, (sort for sort, _ in forged), strict=True))
        self.done.late += [record for sort, record in forged if sort == "late"]

    async def heal(self) -> None:
        """Send what the late records wait for."""
        missing = poison.heal(self.done.late)
        places = await produce(self._stack.kafka, missing)
        self._note((place, "late") for place in places)
        self.done.late.clear()

    def _real(self) -> dict[str, list[ConsumerRecord]]:
        """The last real events of each topic."""
        forged = self.done.forged
        return {
            topic: [record for record in records if (topic, record.partition, record.offset) not in forged]
            for topic, records in self._topics.latest.items()
        }

    def _note(self, forged: Any) -> None:
        for place, sort in forged:
            self.done.forged[place] = sort
            self.done.counts["forged"] += 1

    async def _republish(self, fault: Fault) -> None:
        await retried(self._topics.read_on)
        records = poison.again(random.Random(fault.dice), self._real(), fault.amount)
        self.done.republished.update(await produce(self._stack.kafka, records))
        self.done.counts["republished"] += len(records)

    async def _redrive(self, fault: Fault) -> None:
        """Redrive every dead letter; what cannot be cured stays."""
        code, said = await self.command("dlq", "redrive", "--all", "--reason", "the mix tries again")
        assert code in {0, 1} and "Traceback" not in said, said
        self.done.counts["redriven"] += said.count("applied")

    async def _rebuild(self, fault: Fault) -> None:
        code, said = await self.command("rebuild", fault.victim)
        assert code == 0, said

    async def command(self, *arguments: object) -> tuple[int, str]:
        """Run `tailrace …` as a process of its own: how it ended, and all that it printed."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_")}
        environment["TAILRACE_DATA"] = str(self._stack.plan.layout.data)
        return await Command(arguments, environment).ended()


async def retried(work: Callable[[], Awaitable[Any]], within: float = _COME_BACK) -> Any:
    """Do it again while Kafka does not answer."""
    deadline = asyncio.get_running_loop().time() + within
    while True:
        try:
            return await asyncio.wait_for(work(), 60)
        except (KafkaError, OSError):
            if asyncio.get_running_loop().time() > deadline:
                raise
            await asyncio.sleep(0.5)


def _alive(pid: int) -> bool:
    """A zombie is not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"
