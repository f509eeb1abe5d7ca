"""Archives: parts of an audit log that were moved out of the database, each an object that proves itself with nothing of the platform running.

An archive is gzip over JSON lines. The first line says which records it has (`begin` up to and without `end`), the SHA-256 of the archive before it,
a signed head that covers them, and the path of its last record in the tree. Each record names the hash of the one before, so the last one proves
all others. What its records said follows from their salted hashes, as in a bundle.
"""

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from typing import Any

from tailrace.verify import merkle
from tailrace.verify.evidence import FIRST, Fault, Verdict, check_head, commitment, leaf_of

ARCHIVE_FORMAT = "tailrace.archive/1"


def packed(head: Mapping[str, Any], records: Iterator[Mapping[str, Any]]) -> bytes:
    """An archive of this first line and these records: the same bytes for the same content."""
    lines = [json.dumps(each, separators=(",", ":")).encode() for each in (head, *records)]
    return gzip.compress(b"\n".join(lines) + b"\n", mtime=0)


def unpacked(data: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The first line and the records. Raises Fault for what is no archive."""
    try:
        lines = gzip.decompress(data).splitlines()
        first, *rest = [json.loads(line) for line in lines]
    except (OSError, EOFError, ValueError, RecursionError) as error:
        raise Fault("malformed", f"not an archive: {type(error).__name__} {error}") from error
    if not isinstance(first, dict) or first.get("format") != ARCHIVE_FORMAT:
        raise Fault("malformed", "not an archive: it does not say so")
    return first, rest


class Archives:
    """Checks the archives of one company, one after the other from the first that is there. Each has to continue the one before."""

    def __init__(self, keys: Mapping[str, str] | None = None) -> None:
        """`keys` are those that are trusted, public halves in hexadecimal by id; by default the ones in the archives."""
        self._keys = keys
        self._before: dict[str, Any] | None = None
        self.records = self.withheld = 0

    def take(self, data: bytes) -> Verdict:
        """The next one. Raises Fault."""
        first, records = unpacked(data)
        try:
            verdict, last = self._checked(first, records)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise Fault("malformed", f"not an archive: {type(error).__name__} {error}") from error
        self._before = {**first, "sha256": hashlib.sha256(data).hexdigest(), "last": last}
        self.records += verdict.records
        self.withheld += verdict.withheld
        return verdict

    def _checked(self, first: Mapping[str, Any], records: list[dict[str, Any]]) -> tuple[Verdict, str]:
        head, begin, end = first["head"], first["begin"], first["end"]
        check_head(head, self._keys or first["keys"])
        if first["tenant"] != head["tenant"]:
            raise Fault("changed", "its head is of another tenant")
        if len(records) != end - begin:
            kind = "cut-off" if len(records) < end - begin else "changed"
            raise Fault(kind, f"there are {len(records)} records; it says {end - begin}")
        prev, withheld = self._follows(first), 0
        for position, record in enumerate(records, begin):
            entry = record["entry"]
            if (entry["tenant"], entry["position"]) != (head["tenant"], position):
                raise Fault("changed", f"where record {position} should be stands {entry['position']}")
            if prev is not None and entry["prev"] != prev:
                raise Fault("changed", f"record {position} does not follow the one before")
            prev = leaf_of(entry).hex()
            withheld += _unsaid(record)
        if prev is None:
            raise Fault("malformed", "an archive has records")
        path = [bytes.fromhex(each) for each in first["path"]]
        if not merkle.is_included(bytes.fromhex(prev), end - 1, head["size"], path, bytes.fromhex(head["root"])):
            raise Fault("changed", f"record {end - 1} is not what was signed")
        return Verdict(len(records), head["size"], head["signed_at"], head["key"], withheld), prev

    def _follows(self, first: Mapping[str, Any]) -> str | None:
        """The hash that its first record has to name. None where the one before is not at hand."""
        before = self._before
        if before is None:
            return FIRST if first["begin"] == 0 else None
        said = (first["tenant"], first["number"], first["begin"], first["previous"])
        if said != (before["tenant"], before["number"] + 1, before["end"], before["sha256"]):
            raise Fault(
                "missing", f"archive {first['number']} does not continue archive {before['number']} as it is here"
            )
        return str(before["last"])


def _unsaid(record: Mapping[str, Any]) -> int:
    if record["data"] is None:
        return 1
    said = commitment(bytes.fromhex(record["salt"]), record["data"].encode("utf-8", "surrogateescape"))
    if said != record["entry"]["data"]:
        raise Fault("changed", f"what record {record['entry']['position']} said is not what was signed")
    return 0
