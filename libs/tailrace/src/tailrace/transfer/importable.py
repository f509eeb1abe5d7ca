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

Of master data whose commands are those of `tailrace.db.master_data`, all but the first three, and `kind`, may be left out: its columns are then the
fields of the body, by their names.

Idempotent by what names a row: master data by its code, in any spelling that is the same; documents by `key`, of which is kept what they were
imported with.
"""

import json
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from tailrace.db import master_data
from tailrace.db.database import Tx
from tailrace.db.master_data import MasterData, values_of
from tailrace.http.routing import Body, ResourceView
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


async def _unsaid(tx: Tx, body: Any) -> Any:
    """Stands for a command that is not said, until it is known of what kind."""
    raise TypeError("no command")


@dataclass(frozen=True, kw_only=True)
class Importable:
    """See the module. `job` is the job that goes through one file; the manifest lets it (`importing.serve`)."""

    service: str
    name: str
    """In the plural: what the command line calls it."""
    body: type[Body]
    columns: Sequence[Column] = ()
    """Every field of the body by its name, when left out."""
    create: Callable[[Tx, Any], Awaitable[Any]] = _unsaid
    """The command that HTTP uses; that of `tailrace.db.master_data`, when left out."""
    kind: type[MasterData] | None = None
    """For master data: whose code names a row. A row that is there is replaced, in the columns that the file has."""
    replace: Callable[[Tx, Any, Any], Awaitable[Any]] | None = None
    """The command that HTTP uses to replace the row, of master data; that of `tailrace.db.master_data`, when left out with `create`."""
    state: Callable[[Any], Mapping[str, Any]] | None = None
    """Of master data, what a row says by those fields of the body that are no columns of it as they stand, such as its parts; as JSON has them."""
    named: Mapping[str, str] = field(default_factory=dict)
    """Lists of the body whose entries are known by a field, and not by their place: by list, that field. A file describes those that it names, and
    adds what is not there; the others stay."""
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
    """Columns of the list's export that nothing can be made of, and that are passed over; the head of each view, of master data when left out."""
    flush_later: bool = False
    """Whether its commands may run for many rows before any is written: they read nothing that one of them would have written."""
    job: JobKind = field(init=False)

    def __post_init__(self) -> None:
        """Raises TypeError for what is no master data and has no command."""
        if not self.columns:
            object.__setattr__(self, "columns", [Column(name) for name in self.body.model_fields])
        if self.kind is not None and not self.ignored:
            object.__setattr__(self, "ignored", tuple(ResourceView.model_fields))
        if self.create is _unsaid:
            if self.kind is None:
                raise TypeError(f"{self.name}: say `create`, or `kind` where it is master data")
            object.__setattr__(self, "create", partial(_create, self.kind))
            object.__setattr__(self, "replace", partial(_replace, self.kind))
        object.__setattr__(self, "job", JobKind(f"{self.service}.import_{self.name.replace('-', '_')}"))

    def differs(self, row: Any, body: Any) -> bool:
        """Whether the body says anything else than the row is, of master data."""
        return bool(self.differing(row, body))

    def differing(self, row: Any, body: Any) -> set[str]:
        """The fields in which the body says something else than the row is, of master data."""
        assert self.kind is not None
        state = self.state(row) if self.state is not None else {}
        said = row.over({**values_of(self.kind, body), **body.model_dump(mode="json", include=set(state))})
        return {name for name, value in said.items() if not self._same(name, value, row, state)}

    def _same(self, name: str, value: Any, row: Any, state: Mapping[str, Any]) -> bool:
        is_now = state[name] if name in state else getattr(row, name)
        if name in self.named:
            return bool(_in_any_order(is_now) == _in_any_order(value))
        return bool(is_now == value)

    @property
    def all_columns(self) -> list[Column]:
        return [*self.columns, *(reference.column for reference in self.references)]


def _in_any_order(entries: Sequence[Mapping[str, Any]]) -> list[str]:
    return sorted(json.dumps(entry, sort_keys=True) for entry in entries)


async def _create(kind: type[MasterData], tx: Tx, body: Body) -> MasterData:
    return await master_data.create(tx, kind, values_of(kind, body))


async def _replace(kind: type[MasterData], tx: Tx, row: MasterData, body: Body) -> MasterData:
    return await master_data.replace(tx, kind, row.id, None, values_of(kind, body))
