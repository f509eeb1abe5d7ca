"""Adds what is heard to the log of its company: in the order heard, each once, hundreds in one statement.

Exactly once, since the marks of what was heard move in the transaction that adds it; without a gap, since the log's row is locked from the first
record of a transaction to its end. While PostgreSQL writes one part of them, the next is hashed.
"""

import asyncio
import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    DateTime,
    Integer,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
    cast,
    func,
    select,
)
from sqlalchemy.dialects.postgresql import insert

from audit import heads
from audit.archiving import archiving
from audit.meanwhile import queued
from audit.models import Content, Document, Log, Record
from audit.pruning import pruning, tomorrow
from audit.trees import Growth, locked
from contracts.audit import AuditHeadSigned
from tailrace.db.database import Tx
from tailrace.messaging.subscribers import Heard
from tailrace.verify.documents import bucket_of, key_of
from tailrace.verify.evidence import entry_bytes
from tailrace.verify.merkle import HASH, Edge, leaf_hash

_SALT = 16
_PART = 250
"""Records of one statement, while which the next are hashed: few enough that both have work at the same time, many enough that a statement pays."""
_TURN = 64
"""Records that are hashed before the event loop gets a turn: to send on what the socket did not take at once, and to answer others."""
_TENANT = bindparam("tenant", type_=Uuid)
_TOPIC = bindparam("topic", type_=Text)
_FIRST = bindparam("first", type_=BigInteger)
"""The position of the first record."""

# What differs from record to record goes over as an array, one for each column: the driver looks at each element of one. What is the same for all,
# and what is as long for all, goes over once.
_RECORD_ARRAYS: dict[str, Any] = {
    "id": Uuid,
    "type": Text,
    "schema": SmallInteger,
    "service": Text,
    "document_id": Uuid,
    "epoch": BigInteger,
    "sequence": BigInteger,
    "correlation_id": Uuid,
    "causation_id": Uuid,
    "actor_id": Text,
    "occurred_at": DateTime(timezone=True),
}
_DOCUMENT_ARRAYS: dict[str, Any] = {
    "id": Uuid,
    "bucket": BigInteger,
    "epoch": BigInteger,
    "sequence": BigInteger,
    "records": BigInteger,
    "last": BigInteger,
}


def _unnested(columns: Mapping[str, Any]) -> Any:
    """Rows from arrays, a parameter for each column, counted from 1 as `at`: `all_` and its name, since a column's own name is taken."""
    arrays = [bindparam(f"all_{each}", type_=ARRAY(type)) for each, type in columns.items()]
    return func.unnest(*arrays).table_valued(*columns, with_ordinality="at", name="fresh").render_derived()


def _nth(name: str, at: Any, size: int) -> ColumnElement[bytes]:
    """The bytes of row `at`, out of those of all rows in a row."""
    return func.substr(bindparam(name, type_=LargeBinary), cast((at - 1) * size + 1, Integer), size)


def _adding(kind: Any, **values: Any) -> Any:
    return insert(kind.__table__).from_select(["tenant_id", *values], select(_TENANT, *values.values()))


def _records() -> Any:
    fresh = _unnested(_RECORD_ARRAYS).c
    own = {name: fresh[name] for name in _RECORD_ARRAYS}
    hashes = {"prev": _nth("hashes", fresh.at, HASH), "commitment": _nth("commitments", fresh.at, HASH)}
    return _adding(Record, topic=_TOPIC, position=_FIRST + fresh.at - 1, **own, **hashes)


def _contents() -> Any:
    fresh = _unnested({"data": LargeBinary}).c
    return _adding(Content, position=_FIRST + fresh.at - 1, salt=_nth("salts", fresh.at, _SALT), data=fresh.data)


def _standings() -> Any:
    """Makes and moves documents, and answers with how many there were not before."""
    fresh = _unnested(_DOCUMENT_ARRAYS).c
    added = _adding(Document, topic=_TOPIC, **{name: fresh[name] for name in _DOCUMENT_ARRAYS})
    there: Any = Document.__table__
    said = added.excluded
    moved = {name: said[name] for name in ("epoch", "sequence", "last")} | {"records": there.c.records + said.records}
    return added.on_conflict_do_update(index_elements=["tenant_id", "id", "topic"], set_=moved).returning(
        there.c.id, there.c.records
    )


_ADD_RECORDS, _ADD_CONTENTS, _MOVE_DOCUMENTS = _records(), _contents(), _standings()


async def keep(tx: Tx, heard: Sequence[Heard]) -> None:
    """Add what was heard of one topic, in order."""
    log = await locked(tx)
    if log.size == 0:
        await pruning.set(tx, tx.tenant_id, tomorrow())
        await archiving.set(tx, tx.tenant_id, tomorrow())
    await _add(tx, log, heard)
    before = log.waiting
    log.waiting += sum(each.meta.type != AuditHeadSigned.type for each in heard)
    await heads.plan(tx, before, log.waiting)
    # The records of another topic may follow in this transaction, and the log is read again for them.
    await tx.flush()


async def _add(tx: Tx, log: Log, heard: Sequence[Heard]) -> None:
    """Write records, contents, documents and tiles of a log that is locked."""
    topic, first = heard[0].meta.topic, log.size
    given = {"tenant": tx.tenant_id, "topic": topic, "first": first}
    salts = os.urandom(_SALT * len(heard))
    documents = _documents(heard, first)
    chain = _Chain(str(tx.tenant_id), topic, log, salts)
    async with queued(tx) as queue:
        # Neither of these needs a hash: they are written while the first records are hashed, and each part of those while the next is.
        stood = queue.put(_MOVE_DOCUMENTS, given | _moving(topic, documents))
        queue.put(_ADD_CONTENTS, given | {"salts": salts, "all_data": [each.data for each in heard]})
        for begin in range(0, len(heard), _PART):
            queue.put(_ADD_RECORDS, given | await chain.add(heard[begin : begin + _PART]))
    log.documents += sum(records == documents[id][2] for id, records in stood.result())
    await chain.growth.write(tx)
    log.size, log.newest, log.edge = chain.edge.size, chain.newest, chain.edge.stored()


class _Chain:
    """A log as it is while records are added: its newest hash, and its tree."""

    def __init__(self, tenant: str, topic: str, log: Log, salts: bytes) -> None:
        """`salts`: of all that is to be added, in a row."""
        self._tenant, self._topic, self._salts, self._first = tenant, topic, salts, log.size
        self.newest = log.newest
        self.edge = Edge.read(log.size, log.edge)
        self.growth = Growth()

    async def add(self, heard: Sequence[Heard]) -> dict[str, Any]:
        """Hash the next records; what `_ADD_RECORDS` takes of them."""
        tenant, topic, salts, prev, edge, growth = (
            self._tenant,
            self._topic,
            self._salts,
            self.newest,
            self.edge,
            self.growth,
        )
        first, hashes, commitments = edge.size, [prev], []
        for position, each in enumerate(heard, first):
            if position % _TURN == 0:
                await asyncio.sleep(0)
            meta, at = each.meta, (position - self._first) * _SALT
            said = sha256(salts[at : at + _SALT] + each.data)
            entry = entry_bytes(
                meta.actor_id,
                meta.causation_id,
                meta.correlation_id,
                said.hexdigest(),
                meta.aggregate_id,
                meta.epoch,
                meta.event_id,
                position,
                prev.hex(),
                meta.version,
                meta.sequence,
                each.service,
                tenant,
                meta.time,
                topic,
                meta.type,
            )
            prev = leaf_hash(entry)
            growth.add(position, edge.append(prev))
            hashes.append(prev)
            commitments.append(said.digest())
        self.newest = prev
        packed = {"first": first, "hashes": b"".join(hashes), "commitments": b"".join(commitments)}
        return packed | _columns(_RECORD_ARRAYS, map(_own, heard))


def _documents(heard: Sequence[Heard], first: int) -> dict[UUID, tuple[int, int, int, int]]:
    """How far documents come: epoch, sequence, how many records are added, and where the last of them stands."""
    come: dict[UUID, tuple[int, int, int, int]] = {}
    for position, (meta, _, _) in enumerate(heard, first):
        known = come.get(meta.aggregate_id)
        come[meta.aggregate_id] = (meta.epoch, meta.sequence, 1 if known is None else known[2] + 1, position)
    return come


def _moving(topic: str, documents: Mapping[UUID, tuple[int, int, int, int]]) -> dict[str, Any]:
    """What `_MOVE_DOCUMENTS` takes of them."""
    # In one order everywhere, as whatever is locked is.
    ids = sorted(documents, key=lambda id: id.bytes)
    return _columns(_DOCUMENT_ARRAYS, [(id, bucket_of(key_of(topic, str(id))), *documents[id]) for id in ids])


def _own(heard: Heard) -> tuple[Any, ...]:
    """What `_RECORD_ARRAYS` has of one."""
    meta = heard.meta
    return (
        meta.event_id,
        meta.type,
        meta.version,
        heard.service,
        meta.aggregate_id,
        meta.epoch,
        meta.sequence,
        meta.correlation_id,
        meta.causation_id,
        meta.actor_id,
        meta.time,
    )


def _columns(names: Mapping[str, Any], rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {f"all_{name}": list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
