"""An errand is a call that is asked for in a transaction, made outside of any, and whose outcome is applied in another one, once.

    check = Errand("customers.tax_id_check", about=Checking, answer=TaxIdAnswer)

    await check.send(tx, Call("POST", url, json={…}), Checking(customer_id=id))

    @check.outcome
    async def checked(tx: Tx, outcome: Outcome) -> None: ...

and `errands=[check]` in the manifest. It is made if and only if the transaction that asked for it commits. The target may see it more than once: with
each try the same `Idempotency-Key`. An outcome comes always: an answer, or why there is none by the deadline.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy import bindparam, delete, func, insert, literal, select

from tailrace.core.ids import uuid7
from tailrace.core.payload import Payload
from tailrace.core.values.wire import WireModel
from tailrace.db.database import Tx
from tailrace.db.tables import errand, errand_turn
from tailrace.errands.calls import Call
from tailrace.errands.response import Response, Unanswered

OutcomeHandler = Callable[[Tx, "Outcome"], Awaitable[None]]
AnyOutcome = TypeVar("AnyOutcome", bound=OutcomeHandler)
LONGEST_CALL = 60.0
_LARGEST_BODY = 1024 * 1024

_INSERT, _INSERT_TURN = insert(errand), insert(errand_turn)
_WAITING = select(errand_turn.c.id).where(errand_turn.c.id == bindparam("of_id")).with_for_update(skip_locked=True)
_CANCEL = delete(errand_turn).where(errand_turn.c.id.in_(_WAITING)).returning(literal(1))
_FORGET = delete(errand).where(errand.c.id == bindparam("of_id"))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an errand ended. Either `answer` (or `response`, of an errand that expects no certain answer) says what came, or `failure` why nothing did.

    `failure` is a word: `deadline`, `refused-address`, `too-large`, … A `response` beside it is the last one that came.
    """

    errand_id: UUID
    about: Any
    """What was given with it, as the errand's Payload."""
    response: Response | None
    answer: Any
    """The body of a 2xx as the model that the errand expects; None for any other."""
    failure: str | None
    tries: int
    asked_at: datetime

    @property
    def ok(self) -> bool:
        """Whether it was answered with 2xx."""
        return self.failure is None and self.response is not None and 200 <= self.response.status < 300


class Errand:
    """A kind of call, by name."""

    def __init__(
        self,
        name: str,
        *,
        about: type[Payload] | None = None,
        answer: type[WireModel] | None = None,
        timeout: float = 10.0,
        deadline: timedelta = timedelta(hours=24),
        largest: int = 256 * 1024,
    ) -> None:
        """`about`: what an outcome is handed back. `answer`: what a 2xx must hold, as JSON; anything else is tried again.

        An answer is as strict as a request's body: what no database keeps would be applied for ever. Fields that it does not declare are passed over.
        `timeout`: seconds that one try may take. `deadline`: after that it has failed. `largest`: bytes of an answer.
        Raises ValueError, and TypeError for an `answer` that is no WireModel.
        """
        if answer is not None and not issubclass(answer, WireModel):
            raise TypeError(f"the answer to the errand {name} is no WireModel: it would take what nobody keeps")
        if not 0 < timeout <= LONGEST_CALL:
            raise ValueError(f"a call takes at most {LONGEST_CALL:g} s")
        self.name, self.timeout, self.deadline, self.largest = name, timeout, deadline, largest
        self._about, self._answer = about, answer
        self._handler: OutcomeHandler | None = None

    def outcome(self, handler: AnyOutcome) -> AnyOutcome:
        """Register `async def handler(tx, outcome)`."""
        self._handler = handler
        return handler

    async def send(self, tx: Tx, call: Call, about: Payload | None = None) -> UUID:
        """Have the call made once this transaction has committed; the errand's id.

        Raises TypeError, TargetRefused for no proper address, and RecordsNothing in a projection: rebuilt, it would call again.
        """
        tx.ensure_recording(f"sent the errand {self.name}")
        if not isinstance(about, self._about or type(None)):
            raise TypeError(f"the errand {self.name} is about {self._about}, not {type(about).__name__}")
        target, (request, body) = call.target(), call.stored()
        if body is not None and len(body) > _LARGEST_BODY:
            raise ValueError(f"a call sends at most {_LARGEST_BODY} bytes")
        id, now = uuid7(), func.clock_timestamp()
        row = {
            "tenant_id": tx.tenant_id,
            "id": id,
            "name": self.name,
            "request": request,
            "body": body,
            "about_version": None if about is None else about.version,
            "about": None if about is None else about.stored(),
            "correlation_id": tx.context.correlation_id,
            "causation_id": tx.context.causation_id,
            "traceparent": tx.context.traceparent,
        }
        await tx.execute(_INSERT.values(deadline=now + self.deadline), row)
        turn = {"id": id, "tenant_id": tx.tenant_id, "name": self.name, "target": target.name}
        await tx.execute(_INSERT_TURN.values(due_at=now), turn)
        tx.makes_due()
        return id

    async def cancel(self, tx: Tx, id: UUID) -> bool:
        """Want no outcome any more; whether none will come. One whose outcome is being applied right now is passed over. It may have been made."""
        cancelled = (await tx.execute(_CANCEL, {"of_id": id})).first() is not None
        if cancelled:
            await tx.execute(_FORGET, {"of_id": id})
        return cancelled

    def read_about(self, version: int | None, stored: Any) -> Payload | None:
        return None if self._about is None or version is None else self._about.read(version, stored)

    def read_answer(self, response: Response) -> WireModel | None:
        """What a 2xx says. Raises Unanswered when it is not what is expected: whatever stands before the target may have said it."""
        if self._answer is None or not 200 <= response.status < 300:
            return None
        if not response.is_json:
            raise Unanswered("not-json", response=response)
        try:
            return self._answer.model_validate_json(response.body)
        except ValueError:
            raise Unanswered("unreadable", response=response) from None

    async def apply(self, tx: Tx, outcome: Outcome) -> None:
        if self._handler is None:
            raise RuntimeError(f"the errand {self.name} has no handler")
        await self._handler(tx, outcome)
