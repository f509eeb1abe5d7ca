"""Search by parts of words, in any script: a name is found by two characters of it, without a dictionary.

A row's texts are cut into marks, pairs of neighbouring characters for a search, which lead to its id; what the row itself says then decides. Pairs
are how Japanese is commonly indexed, since nothing parts its words. One character finds the words that begin with it.

Marks are numbers without a meaning (a hash of tenant, kind and text) in a table of the platform. Row-level security keeps PostgreSQL from looking
into a tenant's rows by an index that is no B-tree, and a hash can stand where nobody's name may: to read too much of it tells nothing.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, and_, any_, bindparam, delete, event, false, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, object_session

from tailrace.db.outbox import UnitOfWork
from tailrace.db.tables import search_entry

TEXT = "text"
_UNWRITTEN = "tailrace.unsearchable"
_ACCENTS = re.compile("[\u0300-\u036f]")
_BETWEEN = re.compile(r"[\W_]+")
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_START = " "

_INSERT = insert(search_entry)
_PUT = _INSERT.on_conflict_do_update(
    index_elements=["kind", "id", "by"], set_={"tenant_id": _INSERT.excluded.tenant_id, "marks": _INSERT.excluded.marks}
)
_DROP = delete(search_entry).where(*(search_entry.c[name] == bindparam(f"of_{name}") for name in ("kind", "id", "by")))


class Searchable:
    """A row that is found by its texts, and by whatever else it names. `make_searchable` says so with each change."""

    search_text: Mapped[str] = mapped_column(sort_order=80, deferred=True)

    def make_searchable(self, *texts: str | None, **named: Iterable[str]) -> None:
        """Be found by these texts, those that are None left out, and under each further name by those values; by nothing, with nothing."""
        words = [word for text in texts if text for word in words_of(text)]
        self.search_text = _START + _START.join(words) if words else ""
        pairs = {pair for word in words for pair in _pairs(_START + word)}
        self.__dict__["_marks"] = {TEXT: pairs, **{name: set(values) for name, values in named.items()}}


def found_by(kind: type[Searchable], tenant_id: UUID, asked: str) -> ColumnElement[bool]:
    """Rows that have each word of `asked`, or a part like it, in their texts. Nothing but punctuation finds nothing."""
    words = words_of(asked)
    if not words:
        return false()
    pairs = {pair for word in words for pair in (_pairs(word) or [_START + word])}
    said = [kind.search_text.contains(word if len(word) > 1 else _START + word, autoescape=True) for word in words]
    return and_(_among(kind, TEXT, search_entry.c.marks.contains(_hashes(kind, tenant_id, TEXT, pairs))), *said)


def sharing(kind: type[Searchable], tenant_id: UUID, by: str, values: Iterable[str]) -> ColumnElement[bool]:
    """Rows that are found under the name `by` by at least one of these values; one in 2**63 by accident."""
    return _among(kind, by, search_entry.c.marks.overlap(_hashes(kind, tenant_id, by, values)))


def words_of(text: str) -> list[str]:
    """The words of a text as they are compared: width, case, accents and kana make no difference (Unicode NFKC, case folding)."""
    return [word for word in _BETWEEN.split(fold(text)) if word]


def fold(text: str) -> str:
    """One spelling for all that a person would call the same: `Ｊｏｓé` is `jose`, `やまだ` is `ヤマダ`."""
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text))
    return unicodedata.normalize("NFKC", bare).casefold().translate(_HIRAGANA)


def _pairs(word: str) -> Sequence[str]:
    return [word[at : at + 2] for at in range(len(word) - 1)]


def _among(kind: Any, by: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    entry = search_entry.c
    ids = select(entry.id).where(entry.kind == kind.__tablename__, entry.by == by, condition)
    # An array is made first, and looked up; of a subquery PostgreSQL guesses too many rows, and reads the whole tenant in the order of the list.
    found: ColumnElement[bool] = kind.id == any_(func.array(ids.scalar_subquery()))
    return found


def _hashes(kind: Any, tenant_id: UUID, by: str, values: Iterable[str]) -> list[int]:
    salt = f"{kind.__tablename__}\0{by}\0".encode()
    return sorted(
        int.from_bytes(blake2b(salt + value.encode(), digest_size=8, key=tenant_id.bytes).digest(), signed=True)
        for value in values
    )


@event.listens_for(Searchable, "after_insert", propagate=True)
@event.listens_for(Searchable, "after_update", propagate=True)
def _note(_: object, __: Connection, row: Any) -> None:
    session = object_session(row)
    assert session is not None
    session.info.setdefault(_UNWRITTEN, []).append(row)


@event.listens_for(UnitOfWork, "after_flush")
def _keep(session: UnitOfWork, *_: Any) -> None:
    """All rows of a flush at once: one after another costs a round trip each."""
    put: list[dict[str, Any]] = []
    drop: list[dict[str, Any]] = []
    for row in session.info.pop(_UNWRITTEN, ()):
        marks: Mapping[str, set[str]] = row.__dict__.pop("_marks", {})
        for by, values in marks.items():
            which = {"kind": row.__tablename__, "id": row.id, "by": by}
            if values:
                hashes = _hashes(type(row), row.tenant_id, by, values)
                put.append({**which, "tenant_id": row.tenant_id, "marks": hashes})
            else:
                drop.append({f"of_{name}": value for name, value in which.items()})
    if put:
        session.connection().execute(_PUT, put)
    if drop:
        session.connection().execute(_DROP, drop)
