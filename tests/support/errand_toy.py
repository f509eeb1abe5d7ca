"""The toy service with one kind of errand, and a note of each outcome."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from partner import PartnerListener, answer
from toy import Note, service

from tailrace.core.payload import Payload
from tailrace.core.values.wire import WireModel
from tailrace.db.database import Tx
from tailrace.errands.calls import Call, Caller
from tailrace.errands.errands import Errand, Outcome
from tailrace.errands.guard import Guard
from tailrace.errands.runner import ErrandRunner
from tailrace.settings import Settings
from tailrace_testing import MakeHarness


class Asking(Payload):
    word: str


class Said(WireModel):
    word: str


GOOD = answer(body=b'{"word": "yes"}')


class Errands:
    """The toy with one kind of errand, which writes a note of each outcome."""

    def __init__(self) -> None:
        self.ask = Errand("toy.ask", about=Asking, answer=Said, timeout=5, deadline=timedelta(hours=1))
        self.outcomes: list[Outcome] = []
        self.fails = 0

        @self.ask.outcome
        async def asked(tx: Tx, outcome: Outcome) -> None:
            self.outcomes.append(outcome)
            if self.fails:
                self.fails -= 1
                raise ValueError("cannot")
            said = outcome.answer.word if outcome.answer else outcome.failure or str(outcome.response)
            tx.add(Note.write(f"{outcome.about.word}: {said}"))

    async def start(self, make_harness: MakeHarness, **settings: Any) -> None:
        self.h = await make_harness(replace(service, subscribers=[], routers=[], errands=[self.ask]))
        self.settings = Settings(**settings)

    def runner(self, *partners: PartnerListener) -> ErrandRunner:
        guard = Guard([partner.target for partner in partners])
        return ErrandRunner(self.h.database, [self.ask], self.settings, caller=Caller(guard, Path("/nowhere")))

    async def send(
        self, partner: PartnerListener, word: str = "sure", tenant: UUID | None = None, call: Call | None = None
    ) -> UUID:
        async with self.h.tx(tenant) as tx:
            return await self.ask.send(tx, call or Call("POST", partner.url, json={"word": word}), Asking(word=word))

    async def notes(self, tenant: UUID | None = None) -> list[str]:
        return [each.event.text for each in await self.h.published("note.written", tenant=tenant)]  # type: ignore[attr-defined]

    async def come(self, runner: ErrandRunner) -> int:
        """Let what was put off come now."""
        await self.h.admin.execute("UPDATE errand_turn SET due_at = now()")
        return await runner.run_due()

    async def left(self) -> tuple[int, int]:
        count = "SELECT count(*) FROM "
        return await self.h.admin.fetchval(count + "errand"), await self.h.admin.fetchval(count + "errand_turn")

    async def pause(self) -> float:
        return float(await self.h.admin.fetchval("SELECT extract(epoch FROM due_at - now()) FROM errand_turn"))
