"""Runs errands: takes those that are due, fairly among tenants and a few per target, makes their calls, and applies each outcome once.

Who takes an errand has it until its lease ends, and nobody else calls meanwhile. Killed before the outcome is applied, another process takes it then
and calls again, under the same key. The outcome is applied in one transaction with the end of the errand, by the one that took it last alone.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from time import perf_counter
from typing import Any
from uuid import UUID

from opentelemetry.trace import SpanKind
from sqlalchemy import RowMapping, delete, func, literal, select, text, update

from tailrace.core.context import Context
from tailrace.core.retries.backoff import full_jitter
from tailrace.core.retries.breaker import Breaker
from tailrace.db.database import Database
from tailrace.db.error_classes import is_transient
from tailrace.db.lookout import Lookout
from tailrace.db.tables import errand, errand_turn
from tailrace.errands.calls import Call, Caller
from tailrace.errands.errands import Errand, Outcome
from tailrace.errands.guard import Guard
from tailrace.errands.response import Response, Unanswered
from tailrace.observability import metrics, tracing
from tailrace.observability.logs import log
from tailrace.settings import Settings

_FIRST_PAUSE, _LONGEST_PAUSE, _LONGEST_ASKED = 1.0, 300.0, 3600.0
_COOL_OFF = 15.0
_AFTER_FAULT = 60.0
_CANDIDATES = 256

_ANY_DUE = text("SELECT 1 FROM errand_turn WHERE due_at <= now() LIMIT 1")
# The tenants are walked by the index, one step each, and the first of each come before the second of any: who has asked for much delays nobody.
_DUE = text(
    """
    WITH RECURSIVE tenants AS (
        (SELECT tenant_id FROM errand_turn ORDER BY tenant_id LIMIT 1)
        UNION ALL
        SELECT (SELECT e.tenant_id FROM errand_turn e WHERE e.tenant_id > t.tenant_id ORDER BY e.tenant_id LIMIT 1)
        FROM tenants t WHERE t.tenant_id IS NOT NULL
    )
    SELECT q.* FROM tenants t CROSS JOIN LATERAL (
        SELECT e.id, e.tenant_id, e.name, e.target, e.due_at, row_number() OVER (ORDER BY e.due_at) AS turn
        FROM errand_turn e
        WHERE e.tenant_id = t.tenant_id AND e.due_at <= now() AND e.name = ANY(:names) AND e.target <> ALL(:full)
        ORDER BY e.due_at LIMIT :each
    ) q
    ORDER BY q.turn, q.due_at LIMIT :most
    """
)
_TAKE = text(
    """
    UPDATE errand_turn SET due_at = now() + make_interval(secs => t.lease), taken = taken + 1
    FROM (
        SELECT e.id, given.lease FROM errand_turn e
        JOIN unnest(cast(:ids AS uuid[]), cast(:leases AS float8[])) AS given (id, lease) ON given.id = e.id
        WHERE e.due_at <= now() FOR UPDATE OF e SKIP LOCKED
    ) t
    WHERE errand_turn.id = t.id
    RETURNING errand_turn.id, errand_turn.tenant_id, errand_turn.name, errand_turn.target, errand_turn.taken, errand_turn.tries
    """
)


class _Superseded(Exception):
    """Somebody else took the errand meanwhile, or it was cancelled."""


@dataclass(frozen=True, slots=True)
class Turn:
    """An errand in this process's hands, until its lease ends. `taken` tells this taking from any later one."""

    id: UUID
    tenant_id: UUID
    name: str
    target: str
    taken: int
    tries: int

    @property
    def _held(self) -> Any:
        return (errand_turn.c.id == self.id) & (errand_turn.c.taken == self.taken)


class ErrandRunner:
    """Runs the errands of one service; several processes share the work, each with its own bounds and breakers."""

    def __init__(
        self, database: Database, errands: Sequence[Errand], settings: Settings, *, caller: Caller | None = None
    ) -> None:
        self._database = database
        self._errands = {each.name: each for each in errands}
        self._places, self._per_target = settings.errands_at_once, settings.errands_per_target
        self._grace = settings.errand_grace
        self._caller = caller or Caller(Guard(settings.errands_allow), settings.secrets)
        self._breakers: dict[str, Breaker] = {}
        self._under_way: dict[asyncio.Task[None], Turn] = {}

    async def run(self, stop: asyncio.Event, lookout: Lookout) -> None:
        """Until `stop`, and what is under way then is over: whenever the lookout says that something is due, and one that is over makes room."""
        due = select(func.min(errand_turn.c.due_at)).where(errand_turn.c.name.in_(self._errands))
        post = lookout.post("errands", due)
        try:
            while self._errands and not stop.is_set():
                taken = await self._take_what_is_due()
                if taken and len(self._under_way) < self._places:
                    await asyncio.sleep(0)
                else:
                    await post.rest(stop, *self._under_way)
            if self._under_way:
                await asyncio.wait(self._under_way)
        finally:
            for task in self._under_way:
                task.cancel()

    async def run_due(self) -> int:
        """Run what is due until nothing is, each errand once, however soon it is due again; how many turns were taken."""
        had: set[UUID] = set()
        while await self._take_what_is_due(had) or self._under_way:
            had |= {turn.id for turn in self._under_way.values()}
            await asyncio.wait(list(self._under_way))
        return len(had)

    async def _take_what_is_due(self, had: Collection[UUID] = ()) -> int:
        try:
            turns = await self.take(had)
        except Exception as error:
            if not is_transient(error):
                log.error("errands not taken", exc_info=error)
            return 0
        for turn in turns:
            task = asyncio.create_task(self._run(turn))
            self._under_way[task] = turn
            task.add_done_callback(self._under_way.pop)
        return len(turns)

    async def take(self, had: Collection[UUID] = ()) -> list[Turn]:
        """As many turns as there is room for, leased to this process, of errands that are not in `had`."""
        room = self._places - len(self._under_way)
        if room <= 0:
            return []
        per_target = Counter(turn.target for turn in self._under_way.values())
        full = [target for target, count in per_target.items() if count >= self._per_target]
        given = {"names": list(self._errands), "full": full, "each": self._places, "most": _CANDIDATES}
        if not await self._database.finds(_ANY_DUE):
            return []
        async with self._database.transaction(Context(tenant_id=None)) as tx:
            due = [row for row in (await tx.execute(_DUE, given)).mappings() if row["id"] not in had]
            chosen = self._choose(due, room, per_target)
            if not chosen:
                return []
            leases = [self._errands[row["name"]].timeout + self._grace for row in chosen]
            taken = await tx.execute(_TAKE, {"ids": [row["id"] for row in chosen], "leases": leases})
            return [Turn(*row) for row in taken]

    def _choose(self, rows: Iterable[RowMapping], room: int, per_target: Counter[str]) -> list[RowMapping]:
        """Nobody has more than half of the places, nor of a target's, so that a slow target of one tenant leaves room for the others."""
        per_tenant = Counter(turn.tenant_id for turn in self._under_way.values())
        both = Counter((turn.tenant_id, turn.target) for turn in self._under_way.values())
        half, half_of_target = max(1, self._places // 2), max(1, self._per_target // 2)
        chosen: list[RowMapping] = []
        for row in rows:
            tenant, target = row["tenant_id"], row["target"]
            here = (tenant, target)
            if len(chosen) == room or per_tenant[tenant] >= half:
                continue
            if per_target[target] >= self._per_target or both[here] >= half_of_target:
                continue
            per_tenant[tenant] += 1
            per_target[target] += 1
            both[here] += 1
            chosen.append(row)
        return chosen

    async def _run(self, turn: Turn) -> None:
        """Whatever goes wrong, the errand is taken again when its lease ends."""
        try:
            await self._turn(turn)
        except Exception as error:
            if not is_transient(error):
                log.error("errand failed", errand=turn.name, id=str(turn.id), exc_info=error)

    async def _turn(self, turn: Turn) -> None:
        row = await self._read(turn)
        if row is None:
            return
        kind, left = self._errands[turn.name], (row["deadline"] - datetime.now(UTC)).total_seconds()
        try:
            kind.read_about(row["about_version"], row["about"])
        except ValueError as error:
            # Nobody is called while nobody here could take the answer: a newer process has asked.
            log.error("errand cannot be read", errand=turn.name, id=str(turn.id), exc_info=error)
            await self._put_off(turn, _AFTER_FAULT)
            return
        if row["answer"] is not None:
            await self._apply(turn, row, _kept(kind, row))
        elif left <= 0:
            await self._apply(turn, row, _outcome(kind, row, turn.tries, failure="deadline"))
        elif not (breaker := self._breaker(turn.target)).allows():
            await self._put_off(turn, breaker.retry_after() + full_jitter(1, _COOL_OFF, _COOL_OFF))
        else:
            await self._call(turn, row, kind, left)

    async def _call(self, turn: Turn, row: RowMapping, kind: Errand, left: float) -> None:
        tries, began = turn.tries + 1, perf_counter()
        call = Call.read(row["request"], row["body"])
        try:
            with tracing.span(f"errand {turn.name}", SpanKind.CLIENT, row["traceparent"]):
                response = await self._caller.call(
                    call, key=str(turn.id), within=min(kind.timeout, left), largest=kind.largest
                )
            answer = kind.read_answer(response)
        except Unanswered as why:
            metrics.errand_called(turn.name, why.kind, perf_counter() - began)
            await self._after(turn, row, kind, left, why)
            return
        metrics.errand_called(turn.name, f"status-{response.status}", perf_counter() - began)
        self._breakers.pop(turn.target, None)
        await self._apply(turn, row, _outcome(kind, row, tries, response=response, answer=answer))

    async def _after(self, turn: Turn, row: RowMapping, kind: Errand, left: float, why: Unanswered) -> None:
        """A try that settled nothing: another one later, or the end."""
        tries = turn.tries + 1
        if why.down:
            self._breaker(turn.target).failed()
        elif why.response is not None:
            self._breakers.pop(turn.target, None)
        asked = min(why.retry_after or 0.0, _LONGEST_ASKED)
        pause = max(asked, full_jitter(tries, _FIRST_PAUSE, _LONGEST_PAUSE))
        if why.passing and pause < left:
            await self._put_off(turn, pause, tries, why.kind)
            return
        failure = "deadline" if why.passing else why.kind
        log.warning("errand ends without an answer", errand=turn.name, id=str(turn.id), reason=why.kind, tries=tries)
        await self._apply(turn, row, _outcome(kind, row, tries, response=why.response, failure=failure))

    async def _read(self, turn: Turn) -> RowMapping | None:
        """The errand, or None when it is not ours any more."""
        async with self._database.transaction(Context(tenant_id=turn.tenant_id), read_only=True) as tx:
            query = select(errand).where(errand.c.id == turn.id, select(1).where(turn._held).exists())
            return (await tx.execute(query)).mappings().one_or_none()

    async def _apply(self, turn: Turn, row: RowMapping, outcome: Outcome) -> None:
        actor, trace = f"partner:{turn.name}", row["traceparent"]
        context = Context(turn.tenant_id, None, row["correlation_id"], row["causation_id"], trace, actor)
        try:
            async with self._database.transaction(context) as tx:
                with tracing.span(f"outcome {turn.name}", SpanKind.INTERNAL, row["traceparent"]):
                    await self._errands[turn.name].apply(tx, outcome)
                    await tx.settle()
                # Last, behind whatever the handler locks: who cancels an errand holds that first, too.
                gone = await tx.execute(delete(errand_turn).where(turn._held).returning(literal(1)))
                if gone.first() is None:
                    raise _Superseded
                await tx.execute(delete(errand).where(errand.c.id == turn.id))
        except _Superseded:
            return
        except Exception as error:
            passing = is_transient(error)
            if not passing:
                log.error("outcome not applied", errand=turn.name, id=str(turn.id), exc_info=error)
            await self._keep(turn, outcome, _FIRST_PAUSE if passing else _AFTER_FAULT, type(error).__name__)
            return
        metrics.errand_ended(turn.name, outcome.failure or "answered")

    async def _keep(self, turn: Turn, outcome: Outcome, pause: float, why: str) -> None:
        """Store what came of it, so that the call is not made again for a fault of ours."""
        response = outcome.response
        answer = {
            "status": None if response is None else response.status,
            "headers": {} if response is None else dict(response.headers),
            "failure": outcome.failure,
            "tries": outcome.tries,
        }
        body = None if response is None else response.body
        said = {"last_error": f"not-applied: {why}", "tried_at": func.now()}
        kept_answer = {"answer": answer, "answer_body": body, **said}
        with suppress(_Superseded):
            async with self._database.transaction(Context(tenant_id=turn.tenant_id)) as tx:
                await tx.execute(update(errand).where(errand.c.id == turn.id).values(kept_answer))
                later = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, pause)
                kept = update(errand_turn).where(turn._held).values(due_at=later).returning(literal(1))
                if (await tx.execute(kept)).first() is None:
                    raise _Superseded
                tx.makes_due(pause)

    async def _put_off(self, turn: Turn, pause: float, tries: int | None = None, why: str | None = None) -> None:
        """Let it be taken again after a pause; of a try that settled nothing, `why` is kept for those who look."""
        later = func.now() + func.make_interval(0, 0, 0, 0, 0, 0, pause)
        values = {"due_at": later} if tries is None else {"due_at": later, "tries": tries}
        async with self._database.transaction(Context(tenant_id=turn.tenant_id)) as tx:
            held = await tx.execute(update(errand_turn).where(turn._held).values(values).returning(literal(1)))
            tx.makes_due(pause)
            if why is not None and held.first() is not None:
                said = {"last_error": why, "tried_at": func.now()}
                await tx.execute(update(errand).where(errand.c.id == turn.id).values(said))

    def _breaker(self, target: str) -> Breaker:
        """Kept while something is wrong: what answers again needs none."""
        return self._breakers.setdefault(target, Breaker(cool_off=_COOL_OFF))


def _outcome(
    kind: Errand,
    row: RowMapping,
    tries: int,
    *,
    response: Response | None = None,
    answer: Any = None,
    failure: str | None = None,
) -> Outcome:
    about = kind.read_about(row["about_version"], row["about"])
    return Outcome(row["id"], about, response, answer, failure, tries, row["asked_at"])


def _kept(kind: Errand, row: RowMapping) -> Outcome:
    """What came of an earlier call, and is still to be applied."""
    said = row["answer"]
    response = None
    if said["status"] is not None:
        response = Response(said["status"], said["headers"], row["answer_body"] or b"")
    answer, failure = None, said["failure"]
    if failure is None and response is not None:
        try:
            answer = kind.read_answer(response)
        except Unanswered as why:
            # What is expected has changed since it came.
            failure = why.kind
    return _outcome(kind, row, said["tries"], response=response, answer=answer, failure=failure)
