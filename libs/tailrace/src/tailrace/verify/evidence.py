"""What an audit log says, hashes and signs, and how anybody checks that with nothing of the platform running.

A **record** is what the log keeps of one event: its envelope, the place it has in the tenant's log, the hash of the record before, and a salted hash
of what it said. Its RFC 8785 form is a leaf of the tenant's tree (`merkle`). A **head** says how long the log is, what its root is, and what is known
of each document: that a document's newest record is there, and none after it, follows from a second tree over all documents (`documents`). Heads are
signed with Ed25519. A **bundle** has all records of one document and what proves them; an **export** all records of a tenant.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import rfc8785
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tailrace.verify import documents, merkle

HEAD_FORMAT = "tailrace.head/1"
BUNDLE_FORMAT = "tailrace.bundle/1"
EXPORT_FORMAT = "tailrace.export/1"
FIRST = "0" * 64
"""What the first record names as the one before."""

ENTRY_FIELDS = (
    "actor",
    "cause",
    "correlation",
    "data",
    "document",
    "epoch",
    "id",
    "position",
    "prev",
    "schema",
    "sequence",
    "service",
    "tenant",
    "time",
    "topic",
    "type",
)
"""Of a record, in the order in which its canonical form has them."""


class Fault(Exception):
    """What is presented does not follow from what was signed. `kind` says how: `changed`, `cut-off`, `missing`, `not-signed` or `malformed`."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was proven: how many records, at which size of the log, signed when and with which key."""

    records: int
    size: int
    signed_at: str
    key: str
    withheld: int
    """Records whose contents are not there: by the retention policy, masked, or no text."""


def commitment(salt: bytes, data: bytes) -> str:
    """The hash that stands for what an event said. Without the salt nobody can try what it may have been."""
    return hashlib.sha256(salt + data).hexdigest()


def canonical(value: Any) -> bytes:
    """The form of RFC 8785. Raises Fault for what has none."""
    try:
        return rfc8785.dumps(value)
    except (rfc8785.CanonicalizationError, UnicodeEncodeError, RecursionError) as error:
        raise Fault("malformed", f"has no canonical form: {error}") from error


def moment(time: datetime) -> str:
    """A time as records and heads have it: UTC, to the microsecond."""
    if time.tzinfo is not UTC:
        time = time.astimezone(UTC)
    return f"{time.isoformat(timespec='microseconds')[:-6]}Z"


@lru_cache(maxsize=4096)
def _quoted(text: str | None) -> str:
    return json.dumps(text, ensure_ascii=False)


def entry_bytes(
    actor: str | None,
    cause: object | None,
    correlation: object,
    data: str,
    document: object,
    epoch: int,
    id: object,
    position: int,
    prev: str,
    schema: int,
    sequence: int,
    service: str,
    tenant: object,
    time: datetime,
    topic: str,
    type: str,
) -> bytes:
    """The canonical form of a record with these fields, some eight times as fast as by way of a dictionary: a log is written by the ten thousand."""
    caused = "null" if cause is None else f'"{cause}"'
    return (
        f'{{"actor":{_quoted(actor)},"cause":{caused},"correlation":"{correlation}","data":"{data}","document":"{document}",'
        f'"epoch":{epoch},"id":"{id}","position":{position},"prev":"{prev}","schema":{schema},"sequence":{sequence},'
        f'"service":{_quoted(service)},"tenant":"{tenant}","time":"{moment(time)}","topic":{_quoted(topic)},"type":{_quoted(type)}}}'
    ).encode()


def leaf_of(entry: Mapping[str, Any]) -> bytes:
    """The hash of a record. Raises Fault for one that has other fields than a record has."""
    if set(entry) != set(ENTRY_FIELDS):
        raise Fault("malformed", f"a record has the fields {', '.join(ENTRY_FIELDS)}")
    return merkle.leaf_hash(canonical(dict(entry)))


def statement(head: Mapping[str, Any]) -> bytes:
    """What of a head is signed: all but the signature."""
    return canonical({name: value for name, value in head.items() if name != "signature"})


def check_head(head: Mapping[str, Any], keys: Mapping[str, str]) -> None:
    """Raises Fault when no key of these (public halves in hex, by id) signed it."""
    if head.get("format") != HEAD_FORMAT:
        raise Fault("malformed", f"not a head: its format is {head.get('format')!r}")
    public = keys.get(str(head.get("key")))
    if public is None:
        raise Fault("not-signed", f"signed with the key {head.get('key')}, which is none of those that are trusted")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(
            bytes.fromhex(str(head["signature"])), statement(head)
        )
    except (InvalidSignature, ValueError, KeyError) as error:
        raise Fault("not-signed", "the signature is not of this head") from error


def check_bundle(
    bundle: Mapping[str, Any],
    document: str,
    keys: Mapping[str, str] | None = None,
    known: Mapping[str, Any] | None = None,
) -> Verdict:
    """Prove that a bundle has all records of a document, unchanged, up to the newest. Raises Fault.

    `keys` are those that are trusted, by default the ones in the bundle; `known` is a head from before, which the bundle's must continue.
    """
    try:
        return _bundle(bundle, document, keys or dict(bundle["keys"]), known)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Fault("malformed", f"not a bundle: {type(error).__name__} {error}") from error


def _bundle(
    bundle: Mapping[str, Any], document: str, keys: Mapping[str, str], known: Mapping[str, Any] | None
) -> Verdict:
    if bundle["format"] != BUNDLE_FORMAT:
        raise Fault("malformed", f"not a bundle: its format is {bundle['format']!r}")
    head, topic = bundle["head"], str(bundle["topic"])
    check_head(head, keys)
    if bundle["document"] != document:
        raise Fault("missing", f"the bundle is about {bundle['document']}")
    try:
        said = documents.proven(bundle["standing"], topic, document, bytes.fromhex(head["documents_root"]))
    except documents.NotProven as error:
        raise Fault("changed", str(error)) from error
    records, root = bundle["records"], bytes.fromhex(head["root"])
    for record in records:
        entry, path = record["entry"], [bytes.fromhex(each) for each in record["path"]]
        place = f"record {entry.get('position')}"
        if (entry.get("tenant"), entry.get("topic"), entry.get("document")) != (head["tenant"], topic, document):
            raise Fault("changed", f"{place} is of another tenant or document")
        if not merkle.is_included(leaf_of(entry), entry["position"], head["size"], path, root):
            raise Fault("changed", f"{place} is not what was signed")
    _in_sequence([record["entry"] for record in records], said)
    withheld = _contents(records)
    if known is not None:
        _continues(bundle, head, known, keys)
    return Verdict(len(records), head["size"], head["signed_at"], head["key"], withheld)


def _in_sequence(entries: Sequence[Mapping[str, Any]], said: documents.Standing) -> None:
    """None is missing between the first and the newest, and the newest is the one that was signed."""
    before = (1, 0)
    for entry in entries:
        epoch, sequence = entry["epoch"], entry["sequence"]
        follows = sequence == before[1] + 1 or (epoch > before[0] and sequence <= before[1] + 1)
        if epoch < before[0] or not follows:
            raise Fault("missing", f"after {before[1]} of epoch {before[0]} comes {sequence} of epoch {epoch}")
        before = (epoch, sequence)
    there = (*before, len(entries), entries[-1]["position"] if entries else -1)
    signed = (said.epoch, said.sequence, said.records, said.last)
    if there != signed:
        kind = "cut-off" if len(entries) < said.records else "changed"
        raise Fault(
            kind,
            f"there are {len(entries)} records up to {before[1]}; signed were {said.records} up to {said.sequence}",
        )


def _contents(records: Sequence[Mapping[str, Any]]) -> int:
    withheld = 0
    for record in records:
        if record.get("data") is None:
            withheld += 1
        elif commitment(bytes.fromhex(record["salt"]), record["data"].encode()) != record["entry"]["data"]:
            raise Fault("changed", f"what record {record['entry']['position']} said is not what was signed")
    return withheld


def _continues(
    evidence: Mapping[str, Any], head: Mapping[str, Any], known: Mapping[str, Any], keys: Mapping[str, str]
) -> None:
    check_head(known, keys)
    if known["tenant"] != head["tenant"]:
        raise Fault("changed", "the head from before is of another tenant")
    if known["size"] > head["size"]:
        raise Fault("cut-off", f"the log had {known['size']} records before and has {head['size']}")
    proof = [bytes.fromhex(each) for each in (evidence.get("continues") or {}).get(str(known["size"]), [])]
    roots = bytes.fromhex(known["root"]), bytes.fromhex(head["root"])
    if not merkle.is_consistent(known["size"], roots[0], head["size"], roots[1], proof):
        raise Fault("changed", "nothing proves that the log continues the one that was signed before")


class Export:
    """Checks all records of one tenant against a head, one by one in order, in memory that grows with the documents alone."""

    def __init__(self, head: Mapping[str, Any], keys: Mapping[str, str]) -> None:
        """Raises Fault when the head was not signed with one of these keys."""
        check_head(head, keys)
        self._head = head
        self._edge = merkle.Edge()
        self._prev = FIRST
        self._standing: dict[tuple[str, str], documents.Standing] = {}
        self._withheld = 0

    def take(self, record: Mapping[str, Any]) -> None:
        """The next record. Those after the head are passed over: it says nothing of them. Raises Fault."""
        if self._edge.size >= self._head["size"]:
            return
        entry = record["entry"]
        expected = (self._head["tenant"], self._edge.size, self._prev)
        if (entry.get("tenant"), entry.get("position"), entry.get("prev")) != expected:
            raise Fault("changed", f"where record {self._edge.size} should be stands {entry.get('position')}")
        leaf = leaf_of(entry)
        self._withheld += _contents([record])
        self._edge.append(leaf)
        self._prev = leaf.hex()
        documents.follow(self._standing, entry)

    def end(self) -> Verdict:
        """Raises Fault when what was taken is not what was signed."""
        head = self._head
        if self._edge.size < head["size"]:
            raise Fault("cut-off", f"there are {self._edge.size} records; signed were {head['size']}")
        if self._edge.root().hex() != head["root"]:
            raise Fault("changed", "the records are not those that were signed")
        if documents.root_over(self._standing.values()).hex() != head["documents_root"]:
            raise Fault("changed", "what was signed of the documents does not follow from their records")
        return Verdict(self._edge.size, head["size"], head["signed_at"], head["key"], self._withheld)


def check_export(head: Mapping[str, Any], records: Iterable[Mapping[str, Any]], keys: Mapping[str, str]) -> Verdict:
    """Prove that these are all records of a tenant up to the head, unchanged and in order. Raises Fault."""
    export = Export(head, keys)
    try:
        for record in records:
            export.take(record)
        return export.end()
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Fault("malformed", f"not an export: {type(error).__name__} {error}") from error
