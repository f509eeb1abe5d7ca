"""Master data: known by a code that one live row has, replaced whole, published whole with each change, and never removed.

What is deleted keeps its id for those who refer to it and gives its code free. It can be restored while nobody else has taken the code.
"""

from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel
from sqlalchemy import JSON, Select, inspect, select
from sqlalchemy.orm import Mapped, declared_attr, mapped_column, synonym
from sqlalchemy.schema import SchemaItem

from tailrace.core.errors import CodeTaken, FieldProblem, Fixed, Invalid, NotDeleted, RefersToDeleted
from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.core.values.text import folded, plain
from tailrace.db.database import Tx
from tailrace.db.keys import tenant_index
from tailrace.db.models import SoftDeleted
from tailrace.db.unique import LIVE, unique_value


class MasterData(SoftDeleted):
    """A code, a name, and an end that leaves the row. Its events have the table's columns for fields, and `<table>_id`."""

    if TYPE_CHECKING:
        __tablename__: Any
    created: ClassVar[type[Event]]
    updated: ClassVar[type[Event]]
    deleted: ClassVar[type[Event]]
    restored: ClassVar[type[Event]]
    code_field: ClassVar[str] = "code"
    case_folded: ClassVar[bool] = True
    """Whether codes that differ in case alone are the same."""
    fixed: ClassVar[tuple[str, ...]] = ()
    """Fields that others build on, and that therefore never change."""
    may_be_left_out: ClassVar[tuple[str, ...]] = ()
    """Fields that a request may leave out, so that they are None: what is there keeps its own then, and `kept` says what they are of what is new."""
    listed_by: ClassVar[tuple[str | tuple[str, ...], ...]] = ()
    """Columns to be found by, or several together, besides the code, the name and the time of creation."""

    name: Mapped[str]

    @declared_attr
    def code_key(cls) -> Mapped[str]:  # noqa: N805  (SQLAlchemy calls it with the class)
        """What the code has in common with every other spelling of it; a column of its own where case does not count."""
        return mapped_column(sort_order=89) if cls.case_folded else synonym(cls.code_field)

    @declared_attr.directive
    def __table_args__(cls) -> tuple[SchemaItem, ...]:  # noqa: N805  (SQLAlchemy calls it with the class)
        lists = (("name", "id"), ("created_at", "id"), *_columns(cls.listed_by))
        key = "code_key" if cls.case_folded else cls.code_field
        code = unique_value(key, refusal=CodeTaken, where=LIVE, field=cls.code_field)
        return (code, *(tenant_index(*columns) for columns in lists))

    @classmethod
    def create(cls, values: Mapping[str, Any], id: UUID | None = None) -> Self:
        """A new row from the fields of a request."""
        row = cls()
        row.id = id or uuid7()
        row.assign(values)
        row.record_as(cls.created)
        return row

    def replace(self, values: Mapping[str, Any]) -> None:
        """Put the fields of a request in place of what was. Raises Fixed."""
        wrong = [name for name in self.fixed if values[name] != getattr(self, name)]
        if wrong:
            detail = f"{' and '.join(wrong)} cannot change once others build on it; make a new one."
            raise Fixed(detail, errors=[FieldProblem(field=f"/{name}", detail=detail) for name in wrong])
        self.assign(values)
        self.record_as(self.updated)

    def over(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of a request to replace it, with its own where they may be left out, and were."""
        left_out = [name for name in self.may_be_left_out if values[name] is None]
        return {**values, **{name: getattr(self, name) for name in left_out}}

    def delete(self) -> None:
        """End it. The row stays for those who refer to its id."""
        self.deleted_at = datetime.now(UTC)
        self.record_as(self.deleted)

    def restore(self) -> None:
        """Take it back into use, as it was."""
        self.deleted_at = None
        self.record_as(self.restored)

    def assign(self, values: Mapping[str, Any]) -> None:
        for name, value in values.items():
            setattr(self, name, value)
        self.code_key = self.key_of(getattr(self, self.code_field))

    def newly(self, name: str) -> Any:
        """What a request says of a column; None where it is what is kept."""
        return getattr(self, name) if inspect(self).attrs[name].history.has_changes() else None

    @classmethod
    def key_of(cls, code: str) -> str:
        """What two spellings of one code have in common."""
        return folded(code) if cls.case_folded else code

    @classmethod
    async def hold(cls, tx: Tx, ids: Collection[UUID]) -> set[UUID]:
        """Which of these are in use; they stay so until the transaction ends."""
        live = select(cls.id).where(cls.id.in_(set(ids)), cls.deleted_at.is_(None)).order_by(cls.id)
        return set(await tx.scalars(live.with_for_update(key_share=True, read=True)))

    @classmethod
    async def kept(cls, tx: Tx, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The fields of a request as they are kept, where that depends on other rows. Raises Invalid."""
        return values

    async def ensure_references(self, tx: Tx) -> None:
        """Keep what it refers to from being deleted meanwhile. Raises Invalid with each field that refers to nothing in use, or another refusal.

        Asked before it is written: when it is created, replaced, or restored.
        """

    async def ensure_unused(self, tx: Tx) -> None:
        """Raises InUse, or another refusal, when something keeps it from being deleted."""

    async def ensure_restorable(self, tx: Tx) -> None:
        """Raises RefersToDeleted where `ensure_references` raises Invalid, or another refusal, when something keeps it from being restored."""
        try:
            await self.ensure_references(tx)
        except Invalid as error:
            raise RefersToDeleted(error.detail, errors=error.errors) from error


def _columns(listed_by: tuple[str | tuple[str, ...], ...]) -> Iterator[tuple[str, ...]]:
    return ((each,) if isinstance(each, str) else each for each in listed_by)


AnyMaster = TypeVar("AnyMaster", bound=MasterData)


def rows(kind: type[AnyMaster], *, deleted: bool) -> Select[AnyMaster]:
    """Those in use, or those that were deleted."""
    return select(kind).where(kind.deleted_at.is_not(None) if deleted else kind.deleted_at.is_(None))


async def ids_by_code(tx: Tx, kind: type[MasterData], codes: Collection[str]) -> dict[str, UUID]:
    """The ids of those in use by their codes, as they were asked for: each is found in any spelling that is the same. One query."""
    keys = {code: kind.key_of(plain(code)) for code in codes}
    query = select(kind.code_key, kind.id).where(kind.code_key.in_(set(keys.values())), kind.deleted_at.is_(None))
    found = {row.code_key: row.id for row in await tx.execute(query)}
    return {code: found[key] for code, key in keys.items() if key in found}


def values_of(kind: type[MasterData], body: BaseModel) -> dict[str, Any]:
    """The fields of a request as the columns of `kind` hold them: what is kept as JSON in JSON's types, everything else as it is."""
    kept_as_json = {name for name, column in inspect(kind).columns.items() if isinstance(column.type, JSON)}
    return {**body.model_dump(exclude=kept_as_json), **body.model_dump(mode="json", include=kept_as_json)}


async def create(tx: Tx, kind: type[AnyMaster], values: Mapping[str, Any]) -> AnyMaster:
    """Raises CodeTaken when a live row has the code, and what `kept` and `ensure_references` raise."""
    row = kind.create(await kind.kept(tx, values))
    await row.ensure_references(tx)
    tx.add(row)
    await tx.flush()
    return row


async def replace(tx: Tx, kind: type[AnyMaster], id: UUID, match: int | None, values: Mapping[str, Any]) -> AnyMaster:
    """Raises Unknown, Stale, Fixed, CodeTaken, and what `kept` and `ensure_references` raise."""
    row = await tx.load(kind, id, match)
    row.replace(await kind.kept(tx, row.over(values)))
    await row.ensure_references(tx)
    await tx.flush()
    return row


async def delete(tx: Tx, kind: type[MasterData], id: UUID, match: int | None) -> None:
    """Raises Unknown, Stale, and what `ensure_unused` raises."""
    row = await tx.load(kind, id, match)
    await row.ensure_unused(tx)
    row.delete()


async def restore(tx: Tx, kind: type[AnyMaster], id: UUID, match: int | None) -> AnyMaster:
    """Raises Unknown, Stale, NotDeleted, CodeTaken, and what `ensure_restorable` raises."""
    row = await tx.load(kind, id, match, even_deleted=True)
    if row.deleted_at is None:
        raise NotDeleted(f"{kind.__name__} {getattr(row, kind.code_field)} is in use.")
    await row.ensure_restorable(tx)
    row.restore()
    await tx.flush()
    return row
