"""Adds what is heard to the log of its company: in the order heard, each once, hundreds in one statement.

Exactly once, since the marks of what was heard move in the transaction that adds it; without a gap, since the log's row is locked from the first
record of a transaction to its end.
"""

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
    await tx.flush()


async def _add(tx: Tx, log: Log, heard: Sequence[Heard]) -> None:
    """Write records, contents, documents and tiles of a log that is locked."""
    first, edge, growth = log.size, Edge.read(log.size, log.edge), Growth()
    tenant, topic, prev = str(tx.tenant_id), heard[0].meta.topic, log.newest
    salts = os.urandom(_SALT * len(heard))
    hashes, commitments = [prev], []
    documents: dict[UUID, tuple[int, int, int, int]] = {}
    for at, each in enumerate(heard):
        meta, position = each.meta, first + at
        said = sha256(salts[at * _SALT : (at + 1) * _SALT] + each.data).digest()
        entry = entry_bytes(
            meta.actor_id,
            meta.causation_id,
            meta.correlation_id,
            said.hex(),
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
        commitments.append(said)
        known = documents.get(meta.aggregate_id)
        documents[meta.aggregate_id] = (meta.epoch, meta.sequence, 1 if known is None else known[2] + 1, position)
    given = {"tenant": tx.tenant_id, "topic": topic, "first": first}
    packed = {"hashes": b"".join(hashes), "commitments": b"".join(commitments)}
    await tx.execute(_ADD_RECORDS, given | packed | _columns(_RECORD_ARRAYS, map(_own, heard)))
    await tx.execute(_ADD_CONTENTS, given | {"salts": salts, "all_data": [each.data for each in heard]})
    log.documents += await _move(tx, topic, documents)
    await growth.write(tx)
    log.size, log.newest, log.edge = edge.size, prev, edge.stored()


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


async def _move(tx: Tx, topic: str, documents: Mapping[UUID, tuple[int, int, int, int]]) -> int:
    """Note how far documents have come: epoch, sequence, how many records were added, and where the last of them stands. How many are new."""
    # In one order everywhere, as whatever is locked is.
    ids = sorted(documents, key=lambda id: id.bytes)
    rows = [(id, bucket_of(key_of(topic, str(id))), *documents[id]) for id in ids]
    given = {"tenant": tx.tenant_id, "topic": topic} | _columns(_DOCUMENT_ARRAYS, rows)
    stood = await tx.execute(_MOVE_DOCUMENTS, given)
    return sum(records == documents[id][2] for id, records in stood)


def _columns(names: Mapping[str, Any], rows: Iterable[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {f"all_{name}": list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
