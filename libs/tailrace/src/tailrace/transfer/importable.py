"""What a file of rows, or a request for many at once, can be made of, declared beside the commands that HTTP uses, so that a row is refused for
whatever a request would be::

    customers = Importable(
        service="customers",
        name="customers",
        body=CustomerBody,
        columns=[column("number", "Number", "顧客番号"), column("name", "Name", "名称"), …],
        create=create,                   # async def create(tx, body)
        kind=Customer,
        replace=replace,                 # async def replace(tx, row, body)
        flush_later=True,
    )

Idempotent by what names a row: master data by its code, compared as it stands; documents by `key`, of which is kept what they were imported with.
"""

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tailrace.db.database import Tx
from tailrace.db.master_data import MasterData, values_of
from tailrace.http.routing import Body
from tailrace.jobs.kinds import JobKind
from tailrace.messaging.days import Days
from tailrace.transfer.columns import Column


@dataclass(frozen=True, slots=True)
class Reference:
    """A column that names by a code what the body names by an id; either will do."""

    column: Column
    to: str
    """The path in the body of the id."""
    find: Callable[[Tx, Collection[str]], Awaitable[Mapping[str, UUID]]]
    """The ids of the codes that are known."""


@dataclass(frozen=True, kw_only=True)
class Importable:
    """See the module. `job` is the job that goes through one file; the manifest lets it (`importing.serve`)."""

    service: str
    name: str
    """In the plural: what the command line calls it."""
    body: type[Body]
    columns: Sequence[Column]
    create: Callable[[Tx, Any], Awaitable[Any]]
    """The command that HTTP uses."""
    kind: type[MasterData] | None = None
    """For master data: whose code names a row. A row that is there is replaced, in the columns that the file has."""
    replace: Callable[[Tx, Any, Any], Awaitable[Any]] | None = None
    """The command that HTTP uses to replace the row, of master data."""
    key: Callable[[Any], str | None] | None = None
    """What names a document, from its body; one whose name is None is named by all that is in it."""
    lines: str | None = None
    """The field of the body that holds a line for each row: rows with the same `document` one after another are one document."""
    document: Sequence[str] = ()
    """The paths of the columns that tell one document from the next; a row in which they are empty goes on with the one above."""
    references: Sequence[Reference] = ()
    given: Mapping[str, Any] = field(default_factory=dict)
    """What the body says whatever the file does."""
    days: Days | None = None
    """Whose days are meant where a file has a day and the body a moment."""
    ignored: Collection[str] = ()
    """Columns of the list's export that nothing can be made of, and that are passed over."""
    flush_later: bool = False
    """Whether its commands may run for many rows before any is written: they read nothing that one of them would have written."""
    job: JobKind = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "job", JobKind(f"{self.service}.import_{self.name.replace('-', '_')}"))

    def differs(self, row: Any, body: Any) -> bool:
        """Whether the body says anything else than the row is, of master data."""
        assert self.kind is not None
        return any(getattr(row, name) != value for name, value in values_of(self.kind, body).items())

    @property
    def all_columns(self) -> list[Column]:
        return [*self.columns, *(reference.column for reference in self.references)]
