"""Search by parts of words, in any script: a name is found by two characters of it, without a dictionary.

A row's texts are cut into marks, pairs of neighbouring characters for a search, which lead to its id; what the row itself says then decides. Pairs
are how Japanese is commonly indexed, since nothing parts its words. One character finds the words that begin with it. Numbers have too few pairs to
tell one from another, so digits are cut into fours as well, and four or more of them are looked up by those.

Marks are numbers without a meaning (a hash of tenant, kind and text) in a table of the platform. Row-level security keeps PostgreSQL from looking
into a tenant's rows by an index that is no B-tree, and a hash can stand where nobody's name may: to read too much of it tells nothing.

Whose a row is, is a mark as well, so that who sees some rows alone has no others looked up. It narrows what is looked at; the row decides what is
shown.
"""

import re
import unicodedata
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    and_,
    any_,
    bindparam,
    delete,
    event,
    false,
    func,
    inspect,
    literal,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column, object_session

from tailrace.db.database import Tx
from tailrace.db.outbox import UnitOfWork
from tailrace.db.tables import search_entry
from tailrace.db.text_search.among import among
from tailrace.db.text_search.search_order import ID_BYTES, InOrder, OtherOrder, beginnings, unpacked
from tailrace.db.visibility import Owned

TEXT = "text"
_UNWRITTEN = "tailrace.unsearchable"
MOST_LOOKED_UP = 4_000
"""How many rows that may have what is asked for are looked up one by one. When there are more, the list is walked in its order instead."""
MOST_IN_ORDER = 1_500
"""The same where the list is sorted by the kind's own text, and its first rows fill no page. When there are more, it is gone through by branches."""
_SAMPLE = 200
_PICKED, _SURELY_MANY = 128, 32
"""One of so many rows carries a mark of its own: are more than that found among these alone, there are more than `MOST_IN_ORDER`."""
_MARKS_OF_PICKED, _MOST_PICKED = 3, 1_000
"""By so many marks they are looked for, and so many at most are looked up."""
_OF_THE_LIST, _OF_A_BRANCH = 1 / 4, 1 / 20
"""The share of what is marked that has to have what is asked for: that a list is walked row by row, or branch by branch."""
_ACCENTS = re.compile("[\u0300-\u036f]")
_BETWEEN = re.compile(r"[\W_]+")
_HIRAGANA = {code: code + 0x60 for code in range(0x3041, 0x3097)}
_START, _OWNER, _PICK = " ", "\x03", "\x04"
_DIGITS = re.compile(r"\d{4,}")

_INSERT = insert(search_entry)
_PUT = _INSERT.on_conflict_do_update(
    index_elements=["kind", "id", "by"], set_={"tenant_id": _INSERT.excluded.tenant_id, "marks": _INSERT.excluded.marks}
)
_THE_ENTRY = [search_entry.c[name] == bindparam(f"of_{name}") for name in ("kind", "id", "by")]
_DROP = delete(search_entry).where(*_THE_ENTRY)
_KEPT = func.array_remove(search_entry.c.marks, bindparam("before"))
_HAND_OVER = update(search_entry).where(*_THE_ENTRY).values(marks=func.array_append(_KEPT, bindparam("after")))


class Searchable:
    """A row that is found by its texts, and by whatever else it names. `make_searchable` says so with each change."""

    if TYPE_CHECKING:
        __tablename__: Any
    sorted_by: ClassVar[str | None] = None
    """The text that lists are sorted by in which much is looked for: `found_in_order` is quick by it."""

    search_text: Mapped[str] = mapped_column(sort_order=80, deferred=True)
    masked_text: Mapped[str] = mapped_column(sort_order=81, deferred=True, server_default="")
    """What only those find it by who may see that."""

    def make_searchable(self, *texts: str | None, masked: Iterable[str | None] = (), **named: Iterable[str]) -> None:
        """Be found by these texts, those that are None left out, and under each further name by those values; by nothing, with nothing.

        `masked` are texts that not everybody may see who sees the row.
        """
        words, hidden = _words(texts), _words(masked)
        self.search_text, self.masked_text = _joined(words), _joined(hidden)
        marks = {mark for word in [*words, *hidden] for mark in [*_pairs(_START + word), *_fours(word)]}
        if marks and self.sorted_by is not None:
            marks.update(beginnings(getattr(self, self.sorted_by)))
        self.__dict__["_marks"] = {TEXT: marks, **{name: set(values) for name, values in named.items()}}


async def found_by(tx: Tx, kind: Any, asked: str, *, masked: bool, by_id: bool = False) -> ColumnElement[bool]:
    """Rows of a Searchable `kind` that have each word of `asked`, or a part like it, in their texts. Nothing but punctuation finds nothing.

    `masked`: in those too that not everybody may see. `by_id`: a page of them is wanted in the order of their ids, which is quick however many
    there are; by a name, rows of one script can lie together, behind all others.
    """
    words = words_of(asked)
    if not words:
        return false()
    marked, said = _marked(kind, _marks(tx, kind, words), _reached(tx, kind)), _said(kind, words, masked=masked)
    if by_id:
        packed = await _some(tx, marked, MOST_LOOKED_UP)
        many = len(packed) > MOST_LOOKED_UP * ID_BYTES
        if many:
            sample = unpacked(packed[: _SAMPLE * ID_BYTES])
            if len(await _right_among(tx, kind, sample, said, kind.id)) > _OF_THE_LIST * len(sample):
                return said
        if not many:
            return and_(among(kind.id, unpacked(packed)), said)
    # An array is made first, and looked up; of a subquery PostgreSQL guesses too many rows.
    found: ColumnElement[bool] = kind.id == any_(func.array(marked.scalar_subquery()))
    text = _text(kind, masked=masked)
    return and_(found, *(text.contains(part, autoescape=True) for part in _parts(words)))


async def found_in_order(
    tx: Tx, kind: Any, asked: str, *, masked: bool, descending: bool, start: str | None
) -> AsyncGenerator[ColumnElement[bool], None]:
    """The same rows part by part, in the order of what the kind is `sorted_by`, from the text `start` on; nothing is looked up of a part that is not
    asked for."""
    words = words_of(asked)
    if not words:
        return
    marks, reached, said = _marks(tx, kind, words), _reached(tx, kind), _said(kind, words, masked=masked)
    marked = _marked(kind, marks, reached)
    tree = InOrder(tx, kind, marks, reached, partial(_hashes_in_turn, kind, tx.tenant_id, TEXT), said, descending)
    try:
        first, rest = await tree.begun(start)
    except OtherOrder:
        yield await found_by(tx, kind, asked, masked=masked)
        return
    yield first
    if rest is None:
        return
    column = getattr(kind, kind.sorted_by)
    right = await _right_among_picked(tx, kind, marks, reached, said, column)
    if len(right) <= _SURELY_MANY:
        packed = await _some(tx, marked, MOST_IN_ORDER)
        if len(packed) <= MOST_IN_ORDER * ID_BYTES:
            yield and_(among(kind.id, unpacked(packed)), tree.within(rest), said)
            return
        sample = unpacked(packed[: _SAMPLE * ID_BYTES])
        right = await _right_among(tx, kind, sample, said, column)
        if len(right) < _OF_A_BRANCH * len(sample):
            yield and_(tree.within(rest), await found_by(tx, kind, asked, masked=masked))
            return
    async for part in tree.parts(rest, right):
        yield part


def _parts(words: Sequence[str]) -> list[str]:
    return [word if len(word) > 1 else _START + word for word in words]


def _text(kind: Any, *, masked: bool) -> Any:
    return kind.search_text + kind.masked_text if masked else kind.search_text


def _said(kind: Any, words: Sequence[str], *, masked: bool) -> ColumnElement[bool]:
    """What the row itself has to say. PostgreSQL takes a third of all rows to fulfil this, and so walks the list that it is given. Of LIKE it expects
    few, and reads and sorts the whole tenant."""
    return and_(*(func.strpos(_text(kind, masked=masked), part) > 0 for part in _parts(words)))


def _marks(tx: Tx, kind: Any, words: Sequence[str]) -> list[int]:
    marks = {mark for word in words for mark in (_fours(word) or _pairs(word) or [_START + word])}
    return _hashes(kind, tx.tenant_id, TEXT, marks)


def _reached(tx: Tx, kind: Any) -> list[int] | None:
    """The marks of those whose rows alone are seen; None where all are."""
    if tx.owners is None or not issubclass(kind, Owned):
        return None
    return _hashes(kind, tx.tenant_id, TEXT, (f"{_OWNER}{owner}" for owner in tx.owners))


def _marked(kind: Any, marks: Sequence[int], reached: Sequence[int] | None) -> Select[UUID]:
    entry = search_entry.c
    found = select(entry.id).where(entry.kind == kind.__tablename__, entry.by == TEXT, entry.marks.contains(marks))
    return found if reached is None else found.where(entry.marks.overlap(reached))


async def _some(tx: Tx, marked: Select[UUID], most: int) -> bytes:
    """The ids, at most one more than `most`, in one value: to take thousands of rows apart costs more than to find them."""
    ids = marked.limit(most + 1).subquery()
    told = await tx.scalar(select(func.string_agg(func.uuid_send(ids.c.id), literal(b"", LargeBinary))))
    return bytes(told or b"")


async def _right_among(tx: Tx, kind: Any, some: Sequence[UUID], said: ColumnElement[bool], column: Any) -> list[Any]:
    """The column of those that have what is asked for, rather than its pairs in other places: `00` of many numbers, say."""
    with tx.seeing_all():
        return list(await tx.scalars(select(column).select_from(kind).where(among(kind.id, some), said)))


async def _right_among_picked(
    tx: Tx, kind: Any, marks: Sequence[int], reached: Sequence[int] | None, said: ColumnElement[bool], column: Any
) -> list[Any]:
    """The same of those that carry a mark of their own (`pick`); none where these are too few to tell."""
    # A few of the marks are enough: by all of them together it takes as long as to find everything.
    few = [*marks[:_MARKS_OF_PICKED], *_hashes(kind, tx.tenant_id, TEXT, [_PICK])]
    picked = unpacked(await _some(tx, _marked(kind, few, reached), _MOST_PICKED))
    return await _right_among(tx, kind, picked, said, column) if len(picked) > _SURELY_MANY else []


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


def _words(texts: Iterable[str | None]) -> list[str]:
    return [word for text in texts if text for word in words_of(text)]


def _joined(words: Sequence[str]) -> str:
    return _START + _START.join(words) if words else ""


def _pairs(word: str) -> Sequence[str]:
    return [word[at : at + 2] for at in range(len(word) - 1)]


def _fours(word: str) -> Sequence[str]:
    return [digits[at : at + 4] for digits in _DIGITS.findall(word) for at in range(len(digits) - 3)]


def _among(kind: Any, by: str, condition: ColumnElement[bool]) -> ColumnElement[bool]:
    entry = search_entry.c
    ids = select(entry.id).where(entry.kind == kind.__tablename__, entry.by == by, condition)
    # An array is made first, and looked up; of a subquery PostgreSQL guesses too many rows, and reads the whole tenant in the order of the list.
    found: ColumnElement[bool] = kind.id == any_(func.array(ids.scalar_subquery()))
    return found


def _hashes(kind: Any, tenant_id: UUID, by: str, values: Iterable[str]) -> list[int]:
    return sorted(_hashes_in_turn(kind, tenant_id, by, values))


def _hashes_in_turn(kind: Any, tenant_id: UUID, by: str, values: Iterable[str]) -> list[int]:
    salt = f"{kind.__tablename__}\0{by}\0".encode()
    return [
        int.from_bytes(blake2b(salt + value.encode(), digest_size=8, key=tenant_id.bytes).digest(), signed=True)
        for value in values
    ]


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
    handed_over: list[dict[str, Any]] = []
    for row in session.info.pop(_UNWRITTEN, ()):
        marks: Mapping[str, set[str]] = row.__dict__.pop("_marks", {})
        for by, values in marks.items():
            which = {"kind": row.__tablename__, "id": row.id, "by": by}
            if values:
                told = {*values, *_owners(row), *pick(row.id)} if by == TEXT else values
                hashes = _hashes(type(row), row.tenant_id, by, told)
                put.append({**which, "tenant_id": row.tenant_id, "marks": hashes})
            else:
                drop.append({f"of_{name}": value for name, value in which.items()})
        if TEXT not in marks:
            handed_over += _handed_over(row)
    for statement, rows in ((_PUT, put), (_DROP, drop), (_HAND_OVER, handed_over)):
        if rows:
            session.connection().execute(statement, rows)


def pick(id: UUID) -> Iterator[str]:
    """The mark of one row of many, whichever: what is known of them goes for all."""
    if id.int % _PICKED == 0:
        yield _PICK


def _owners(row: Any) -> Iterator[str]:
    """Whose it is, as a value that is hashed; nothing of what is nobody's, which is found by those alone who see all."""
    if isinstance(row, Owned) and (owner := getattr(row, row.owned_by)) is not None:
        yield f"{_OWNER}{owner}"


def _handed_over(row: Any) -> Iterator[dict[str, Any]]:
    """How the entry of a row changes that got another owner and kept its texts."""
    if not issubclass(type(row), Owned):
        return
    history = inspect(row).attrs[row.owned_by].history
    if not history.has_changes():
        return
    # Where an owner was not known, or is nobody, the mark of no user stands for it.
    before, after = (f"{_OWNER}{value}" for value in (*(history.deleted or [None]), *(history.added or [None])))
    before_mark, after_mark = _hashes_in_turn(type(row), row.tenant_id, TEXT, (before, after))
    which = {"of_kind": row.__tablename__, "of_id": row.id, "of_by": TEXT}
    yield {**which, "before": before_mark, "after": after_mark}
