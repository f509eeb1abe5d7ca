"""Rows that somebody owns: a transaction that is narrowed to certain users sees no others, whichever query asks.

    class Customer(MasterData, Owned, Base):
        owned_by = "sales_rep_id"

is all that a model says. The condition is put into each SELECT of the ORM, in joins, subqueries and lazy loads as well, and parts are seen with
their root alone. So another's row is one that is not there: a 404, to change it too. What a request leaves behind has to be within its reach.
A service that has to look further (is the code free? does anything hang on it?) says so: `with tx.seeing_all()`.

SQL that goes round the ORM is not narrowed. `tests/conformance` tries every route with a caller who owns nothing.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from sqlalchemy import ColumnElement, event, inspect
from sqlalchemy.orm import ORMExecuteState, Session, registry, with_loader_criteria

from tailrace.core.errors import Forbidden
from tailrace.db.models import Part
from tailrace.db.outbox import UnitOfWork

__all__ = ["Narrowed", "OutOfReach", "Owned", "owner_of_new"]


class Narrowed:
    """A row that is seen by those alone who reach certain users' rows, without being anybody's itself."""

    @classmethod
    def owned_within(cls, owners: frozenset[UUID]) -> ColumnElement[bool]:
        """Whether who reaches the rows of these users sees this one. Each model says so itself: one that forgets is never shown unnarrowed."""
        raise NotImplementedError(cls.__name__)


class Owned(Narrowed):
    """A row that one user looks after, or nobody."""

    owned_by: ClassVar[str]
    """The attribute that holds the user's id; None for nobody, whose rows are seen by those alone who see all."""

    @classmethod
    def owned_within(cls, owners: frozenset[UUID]) -> ColumnElement[bool]:
        """Whether one of these users owns the row."""
        condition: ColumnElement[bool] = getattr(cls, cls.owned_by).in_(owners)
        return condition


class OutOfReach(Forbidden):
    """403: the row would be somebody's whose rows the caller may not see."""

    slug, title = "out-of-reach", "Beyond what you may see"


def owner_of_new(session: Any, user_id: UUID | None) -> UUID | None:
    """Who owns what a request makes without saying for whom: the caller, where they see but some; else nobody."""
    return user_id if session.owners is not None else None


@event.listens_for(UnitOfWork, "do_orm_execute")
def _narrow(execution: ORMExecuteState) -> None:
    session = execution.session
    assert isinstance(session, UnitOfWork)
    # A column that is read later belongs to a row that was seen.
    if session.owners is None or execution.is_column_load or not (execution.is_select or execution.is_update):
        return
    criteria = [
        with_loader_criteria(kind, condition, include_aliases=True, propagate_to_loaders=False)
        for kind, condition in _conditions(execution, session.owners)
    ]
    if criteria:
        execution.statement = execution.statement.options(*criteria)


def _conditions(execution: ORMExecuteState, owners: frozenset[UUID]) -> Iterator[tuple[Any, ColumnElement[bool]]]:
    mappers = execution.all_mappers
    for kind, path in _owned(mappers[0].registry) if mappers else _all_owned():
        # The parts of a root that was seen are all seen: a load of them needs no condition of its own.
        if not path or not execution.is_relationship_load:
            yield kind, _owned_through(kind, path, owners)


def _owned_through(kind: Any, path: Sequence[str], owners: frozenset[UUID]) -> ColumnElement[bool]:
    if not path:
        condition: ColumnElement[bool] = kind.owned_within(owners)
        return condition
    relation = getattr(kind, path[0])
    has: ColumnElement[bool] = relation.has(_owned_through(relation.property.mapper.class_, path[1:], owners))
    return has


@cache
def _owned(known: registry) -> Sequence[tuple[Any, Sequence[str]]]:
    """The mapped classes that are narrowed, each with the relationships that lead to what is owned."""
    found = []
    for mapper in known.mappers:
        path: list[str] = []
        kind = mapper.class_
        while issubclass(kind, Part):
            path.append(kind.__root__)
            kind = inspect(kind).relationships[kind.__root__].mapper.class_
        if issubclass(kind, Narrowed):
            found.append((mapper.class_, tuple(path)))
    return sorted(found, key=lambda each: each[0].__name__)


def _all_owned() -> list[tuple[Any, Sequence[str]]]:
    """For a query whose outermost part names no class: those of every service in this process, which is harmless."""
    found: dict[registry, None] = {}
    waiting = list(Narrowed.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if (mapper := inspect(kind, raiseerr=False)) is not None:
            found[mapper.registry] = None
    return [each for known in found for each in _owned(known)]


@event.listens_for(UnitOfWork, "before_flush")
def _refuse_out_of_reach(session: Session, *_: Any) -> None:
    """A new row, and a new owner, within reach."""
    assert isinstance(session, UnitOfWork)
    if session.owners is None:
        return
    for instance in [*session.new, *session.dirty]:
        if not isinstance(instance, Owned):
            continue
        changed = instance in session.new or inspect(instance).attrs[instance.owned_by].history.has_changes()
        if changed and getattr(instance, instance.owned_by) not in session.owners:
            raise OutOfReach(
                "It would be somebody's whose rows you may not see, or nobody's.", field=f"/{instance.owned_by}"
            )
