"""Adds what is heard to the log of its company: in the order heard, each once, hundreds in one statement.

Exactly once, since the marks of what was heard move in the transaction that adds it; without a gap, since the log's row is locked from the first
record of a transaction to its end.
"""

import os
from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    ARRAY,
    BigInteger,
    DateTime,
    LargeBinary,
    SmallInteger,
    Text,
    Uuid,
    bindparam,
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
from tailrace.verify.evidence import commitment, entry_bytes
from tailrace.verify.merkle import Edge, leaf_hash

_SALT = 16
_TENANT = bindparam("tenant", type_=Uuid)


def _unnested(name: str, **columns: Any) -> Any:
    """Rows from arrays, a parameter for each column: `all_` and its name, since a column's own name is taken."""
    arrays = [bindparam(f"all_{each}", type_=ARRAY(type)) for each, type in columns.items()]
    return func.unnest(*arrays).table_valued(*columns, name=name).render_derived()


_RECORD_COLUMNS: dict[str, Any] = {
    "id": Uuid,
    "position": BigInteger,
    "prev": LargeBinary,
    "topic": Text,
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
    "commitment": LargeBinary,
}
_CONTENT_COLUMNS: dict[str, Any] = {"position": BigInteger, "salt": LargeBinary, "data": LargeBinary}
_DOCUMENT_COLUMNS: dict[str, Any] = {
    "topic": Text,
    "id": Uuid,
    "bucket": BigInteger,
    "epoch": BigInteger,
    "sequence": BigInteger,
    "records": BigInteger,
    "last": BigInteger,
}


def _adding(kind: Any, columns: dict[str, Any]) -> Any:
    return insert(kind.__table__).from_select(["tenant_id", *columns], select(_TENANT, _unnested("fresh", **columns)))


_ADD_RECORDS = _adding(Record, _RECORD_COLUMNS)
_ADD_CONTENTS = _adding(Content, _CONTENT_COLUMNS)
_documents: Any = Document.__table__
_new_documents = _adding(Document, _DOCUMENT_COLUMNS)
_said = _new_documents.excluded
_ADD_DOCUMENTS = _new_documents.on_conflict_do_update(
    index_elements=["tenant_id", "id", "topic"],
    set_={
        "epoch": _said.epoch,
        "sequence": _said.sequence,
        "last": _said.last,
        "records": _documents.c.records + _said.records,
    },
).returning(_documents.c.topic, _documents.c.id, _documents.c.records)


async def keep(tx: Tx, heard: Sequence[Heard]) -> None:
    """Add what was heard, in order."""
    log = await locked(tx)
    if log.size == 0:
        await pruning.set(tx, tx.tenant_id, tomorrow())
        await archiving.set(tx, tx.tenant_id, tomorrow())
    batch = _Batch(str(tx.tenant_id), log)
    for each in heard:
        batch.add(each)
    await batch.write(tx)
    before = log.waiting
    log.waiting += sum(each.meta.type != AuditHeadSigned.type for each in heard)
    await heads.plan(tx, before, log.waiting)
    await tx.flush()


class _Batch:
    """Records on their way into a log that is locked."""

    def __init__(self, tenant: str, log: Log) -> None:
        self._tenant, self._log = tenant, log
        self._edge = Edge.read(log.size, log.edge)
        self._prev = log.newest
        self._growth = Growth()
        self._records: list[tuple[Any, ...]] = []
        self._contents: list[tuple[Any, ...]] = []
        self._documents: dict[tuple[str, Any], list[int]] = {}

    def add(self, heard: Heard) -> None:
        meta, position, salt = heard.meta, self._edge.size, os.urandom(_SALT)
        said = commitment(salt, heard.data)
        leaf = leaf_hash(
            entry_bytes(
                meta.actor_id,
                meta.causation_id,
                meta.correlation_id,
                said,
                meta.aggregate_id,
                meta.epoch,
                meta.event_id,
                position,
                self._prev.hex(),
                meta.version,
                meta.sequence,
                heard.service,
                self._tenant,
                meta.time,
                meta.topic,
                meta.type,
            )
        )
        self._records.append(
            (
                meta.event_id,
                position,
                self._prev,
                meta.topic,
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
                bytes.fromhex(said),
            )
        )
        self._contents.append((position, salt, heard.data))
        self._growth.add(position, self._edge.append(leaf))
        self._prev = leaf
        known = self._documents.get((meta.topic, meta.aggregate_id))
        many = 1 if known is None else known[2] + 1
        self._documents[meta.topic, meta.aggregate_id] = [meta.epoch, meta.sequence, many, position]

    async def write(self, tx: Tx) -> None:
        given = {"tenant": tx.tenant_id}
        await tx.execute(_ADD_RECORDS, given | _columns(_RECORD_COLUMNS, self._records))
        await tx.execute(_ADD_CONTENTS, given | _columns(_CONTENT_COLUMNS, self._contents))
        rows = [(topic, id, bucket_of(key_of(topic, str(id))), *said) for (topic, id), said in self._documents.items()]
        # In one order everywhere, as whatever is locked is.
        rows.sort(key=lambda row: (row[0], row[1].bytes))
        stood = await tx.execute(_ADD_DOCUMENTS, given | _columns(_DOCUMENT_COLUMNS, rows))
        new = sum(row.records == self._documents[row.topic, row.id][2] for row in stood)
        await self._growth.write(tx)
        log = self._log
        log.size, log.newest, log.edge = self._edge.size, self._prev, self._edge.stored()
        log.documents += new


def _columns(names: dict[str, Any], rows: Sequence[tuple[Any, ...]]) -> dict[str, list[Any]]:
    return {f"all_{name}": list(values) for name, values in zip(names, zip(*rows, strict=True), strict=True)}
