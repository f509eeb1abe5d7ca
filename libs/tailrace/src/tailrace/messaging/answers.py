"""What the answer to an approval does to the document that waits for it: to that one, while it waits, and while it is what was submitted.

    answers = Answers("quotes.answers", "quote", Quote, lambda quote: quote.sha256 if quote.status == "in_approval" else None)

    @answers.to(ApprovalApproved)
    async def approved(tx: Tx, quote: Quote, answer: ApprovalApproved) -> None: ...

An answer to another kind of document, to one that waits no more, or to one that was changed since, has no effect. A rejection after which the process
begins again is no answer yet.
"""

from collections.abc import Awaitable, Callable
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from tailrace.core.errors import Unknown
from tailrace.core.events import Event, Meta
from tailrace.db.database import Tx
from tailrace.db.error_classes import NotYet
from tailrace.db.models import Aggregate
from tailrace.messaging.subscribers import EVER, Reaction

Document = TypeVar("Document", bound=Aggregate)
AnyAnswer = TypeVar("AnyAnswer", bound=Callable[..., Awaitable[None]])
_BEGINS_AGAIN = "restart"


class Subject(Protocol):
    """The document as it was submitted: its kind, its own id, and its hash in hexadecimal."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> UUID: ...
    @property
    def sha256(self) -> str: ...


class Answers(Reaction, Generic[Document]):
    """A reaction to the answers about one `kind` of document.

    `awaits` tells the hash of what a document waits for an answer about, and None when it waits for none.
    """

    def __init__(self, name: str, kind: str, model: type[Document], awaits: Callable[[Document], str | None]) -> None:
        super().__init__(name, since=EVER)
        self._kind, self._model, self._awaits = kind, model, awaits

    def to(self, *events: type[Event]) -> Callable[[AnyAnswer], AnyAnswer]:
        """Register `async def answered(tx, document, event)`; the events have a `subject`. Raises ValueError as `on` does."""

        def register(answered: AnyAnswer) -> AnyAnswer:
            async def handle(tx: Tx, event: Any, meta: Meta) -> None:
                document = await self._waiting(tx, event.subject)
                if document is not None and getattr(event, "then", None) != _BEGINS_AGAIN:
                    await answered(tx, document, event)

            self.on(*events)(handle)
            return answered

        return register

    async def _waiting(self, tx: Tx, subject: Subject) -> Document | None:
        """Raises NotYet where the document is not here: this database was restored behind its topic."""
        if subject.kind != self._kind:
            return None
        try:
            document = await tx.load(self._model, subject.id)
        except Unknown as error:
            raise NotYet(f"{self._kind} {subject.id} is not here") from error
        return document if self._awaits(document) == subject.sha256 else None
