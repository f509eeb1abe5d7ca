"""A log that is made here, in memory, and everything that can be done to its records: an exported head finds each; a bundle proves its document."""

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tailrace.verify import documents, evidence, merkle
from tailrace.verify.evidence import ENTRY_FIELDS, Fault, check_bundle, check_export

Record = dict[str, Any]
TOPIC, TRIES = "order.events", 1000


class Log:
    """One company's records, as a service would keep and sign them."""

    def __init__(self, seed: int, many: int = 60, of: int = 12) -> None:
        dice = Random(seed)
        self.tenant, self.documents = str(_id(dice)), [str(_id(dice)) for _ in range(of)]
        self.key = Ed25519PrivateKey.from_private_bytes(dice.randbytes(32))
        self.keys = {"one": self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw).hex()}
        self.records: list[Record] = []
        self.leaves: list[bytes] = []
        self.standing: dict[tuple[str, str], documents.Standing] = {}
        for number in range(many):
            self.add(dice, self.documents[number % of], number)

    def add(self, dice: Random, document: str, number: int) -> None:
        data, salt = json.dumps({"n": number}), dice.randbytes(16)
        known = self.standing.get((TOPIC, document))
        entry = {
            "actor": dice.choice([None, str(_id(dice)), 'odd "actor"\n']),
            "cause": dice.choice([None, str(_id(dice))]),
            "correlation": str(_id(dice)),
            "data": evidence.commitment(salt, data.encode()),
            "document": document,
            "epoch": 1,
            "id": str(_id(dice)),
            "position": len(self.leaves),
            "prev": self.leaves[-1].hex() if self.leaves else evidence.FIRST,
            "schema": 1,
            "sequence": 1 if known is None else known.sequence + 1,
            "service": "orders",
            "tenant": self.tenant,
            "time": evidence.moment(datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=number)),
            "topic": TOPIC,
            "type": "order.noted",
        }
        self.records.append({"entry": entry, "salt": salt.hex(), "data": data})
        self.leaves.append(evidence.leaf_of(entry))
        documents.follow(self.standing, entry)

    def head(self) -> dict[str, Any]:
        head: dict[str, Any] = {
            "format": evidence.HEAD_FORMAT,
            "tenant": self.tenant,
            "number": 1,
            "size": len(self.leaves),
            "root": merkle.root_of(self.leaves).hex(),
            "documents": len(self.standing),
            "documents_root": documents.root_over(self.standing.values()).hex(),
            "signed_at": "2026-01-02T00:00:00.000000Z",
            "key": "one",
        }
        return {**head, "signature": self.key.sign(evidence.statement(head)).hex()}

    def bundle(self, document: str, known: int | None = None) -> dict[str, Any]:
        size, node = len(self.leaves), self.node
        mine = self.standing[TOPIC, document]
        bucket = documents.bucket_of(mine.key)
        others = [each for each in self.standing.values() if documents.bucket_of(each.key) == bucket]
        tiles = self.tiles()
        tile, place = divmod(bucket, merkle.TILE)
        path = [*documents.path_in(tiles[tile], place), *documents.path_in(self.top(tiles), tile)]
        proof = {
            "standing": {name: getattr(mine, name) for name in ("epoch", "sequence", "records", "last")},
            "bucket": [each.pair().hex() for each in others],
            "path": [each.hex() for each in path],
        }
        records = [
            {**record, "path": [hash.hex() for hash in merkle.inclusion(node, record["entry"]["position"], size)]}
            for record in self.records
            if record["entry"]["document"] == document
        ]
        continues = (
            {} if known is None else {str(known): [each.hex() for each in merkle.consistency(node, known, size)]}
        )
        return {
            "format": evidence.BUNDLE_FORMAT,
            "document": document,
            "topic": TOPIC,
            "head": self.head(),
            "keys": self.keys,
            "standing": proof,
            "records": copy.deepcopy(records),
            "continues": continues,
        }

    def node(self, height: int, index: int) -> bytes:
        return merkle.root_of(self.leaves[index << height : (index + 1) << height])

    def tiles(self) -> dict[int, bytes]:
        found: dict[int, dict[int, list[bytes]]] = {}
        for each in self.standing.values():
            tile, place = divmod(documents.bucket_of(each.key), merkle.TILE)
            found.setdefault(tile, {}).setdefault(place, []).append(each.pair())
        return {
            tile: documents.with_hashes(
                documents.blank(0), {place: documents.bucket_hash(pairs) for place, pairs in places.items()}
            )
            for tile, places in found.items()
        }

    def top(self, tiles: dict[int, bytes]) -> bytes:
        roots = {tile: documents.tile_root(hashes) for tile, hashes in tiles.items()}
        return documents.with_hashes(documents.blank(1), roots)


def _id(dice: Random) -> UUID:
    return UUID(int=dice.getrandbits(128), version=4)


MINE, THEIRS = Log(1), Log(2)


def _edit(records: list[Record], dice: Random) -> None:
    record, name = dice.choice(records), dice.choice([*ENTRY_FIELDS, "data ", "salt "])
    if name.endswith(" "):
        record[name.strip()] = "00" * 16 if name == "salt " else "{}"
        return
    value = record["entry"][name]
    record["entry"][name] = value + 1 if isinstance(value, int) else f"{value}x" if value is not None else "someone"


def _delete(records: list[Record], dice: Random) -> None:
    del records[dice.randrange(len(records) - 1)]


def _cut_off(records: list[Record], dice: Random) -> None:
    del records[-dice.randint(1, 5) :]


def _insert(records: list[Record], dice: Random) -> None:
    forged = copy.deepcopy(dice.choice(records))
    forged["entry"]["id"] = str(_id(dice))
    records.insert(dice.randrange(len(records)), forged)


def _reorder(records: list[Record], dice: Random) -> None:
    one, two = dice.sample(range(len(records)), 2)
    records[one], records[two] = records[two], records[one]


def _swap_tenants(records: list[Record], dice: Random) -> None:
    at = dice.randrange(len(records))
    records[at] = copy.deepcopy(THEIRS.records[at])


def _made_to_fit(records: list[Record], dice: Random) -> None:
    """One is gone, and positions and hashes of all after it are as if it had never been."""
    del records[dice.randrange(len(records) - 1)]
    prev = evidence.FIRST
    for position, record in enumerate(records):
        record["entry"] |= {"position": position, "prev": prev}
        prev = evidence.leaf_of(record["entry"]).hex()


KINDS = [_edit, _delete, _cut_off, _insert, _reorder, _swap_tenants, _made_to_fit]


def test_a_thousand_tamperings_are_a_thousand_found() -> None:
    head, dice, missed = MINE.head(), Random(20261127), []
    assert check_export(head, MINE.records, MINE.keys).records == len(MINE.records)
    for number in range(TRIES):
        tampered, kind = copy.deepcopy(MINE.records), KINDS[number % len(KINDS)]
        kind(tampered, dice)
        assert tampered != MINE.records
        try:
            check_export(head, tampered, MINE.keys)
        except Fault as fault:
            assert kind is not _cut_off or fault.kind == "cut-off"  # noqa: PT017
            continue
        missed.append((number, kind.__name__))
    assert missed == []


def test_what_came_after_a_head_is_none_of_its() -> None:
    longer = Log(1, many=75)
    assert check_export(MINE.head(), longer.records, MINE.keys).size == 60
    assert check_export(longer.head(), longer.records, longer.keys).size == 75


def test_a_head_that_lies_about_documents_is_found_by_the_whole_log() -> None:
    liar = Log(1)
    at = (TOPIC, liar.documents[0])
    liar.standing[at] = documents.Standing(*at, 1, 4, 4, 36)
    with pytest.raises(Fault, match="does not follow from their records"):
        check_export(liar.head(), liar.records, liar.keys)


@pytest.mark.parametrize("document", MINE.documents[:3])
def test_a_bundle_proves_a_document(document: str) -> None:
    verdict = check_bundle(MINE.bundle(document), document)
    assert (verdict.records, verdict.size, verdict.withheld) == (5, 60, 0)


def test_contents_may_be_left_out_and_the_rest_still_holds() -> None:
    bundle = MINE.bundle(MINE.documents[0])
    bundle["records"][1] |= {"data": None, "salt": None}
    assert check_bundle(bundle, MINE.documents[0]).withheld == 1


CHANGES: dict[str, tuple[str, Callable[[dict[str, Any]], object]]] = {
    "the newest cut off": ("cut-off", lambda b: b["records"].pop()),
    "all cut off": ("cut-off", lambda b: b["records"].clear()),
    "one left out": ("missing", lambda b: b["records"].pop(2)),
    "the first left out": ("missing", lambda b: b["records"].pop(0)),
    "one twice": ("missing", lambda b: b["records"].append(b["records"][-1])),
    "another order": ("missing", lambda b: b["records"].reverse()),
    "other contents": ("changed", lambda b: b["records"][0].update(data='{"n": 9}')),
    "another actor": ("changed", lambda b: b["records"][0]["entry"].update(actor="me")),
    "another's record": ("changed", lambda b: b["records"].append(THEIRS.bundle(THEIRS.documents[0])["records"][0])),
    "another document's record of that number": (
        "changed",
        lambda b: b["records"].__setitem__(1, MINE.bundle(MINE.documents[1])["records"][1]),
    ),
    "the newest cut off, and the standing to fit": (
        "changed",
        lambda b: (b["records"].pop(), b["standing"]["standing"].update(sequence=4, records=4, last=36)),
    ),
    "another's standing": ("changed", lambda b: b.update(standing=MINE.bundle(MINE.documents[1])["standing"])),
    "an empty bucket": ("changed", lambda b: b["standing"]["bucket"].clear()),
    "a longer log": ("not-signed", lambda b: b["head"].update(size=61)),
    "no signature": ("not-signed", lambda b: b["head"].pop("signature")),
    "another's head": ("not-signed", lambda b: b.update(head=THEIRS.head())),
    "no standing": ("malformed", lambda b: b.pop("standing")),
    "a number for a path": ("malformed", lambda b: b["records"][0].update(path=[7])),
    "another document": ("missing", lambda b: b.update(document=MINE.documents[1])),
    "a path too short": ("changed", lambda b: b["standing"]["path"].pop()),
    "another format": ("malformed", lambda b: b.update(format="x")),
    "a field more": ("malformed", lambda b: b["records"][0]["entry"].update(more=1)),
    "a float": ("changed", lambda b: b["records"][0]["entry"].update(schema=1.5)),
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_is_done_to_a_bundle_is_called_by_its_name(what: str) -> None:
    kind, change = CHANGES[what]
    bundle = MINE.bundle(MINE.documents[0])
    change(bundle)
    with pytest.raises(Fault) as found:
        check_bundle(bundle, MINE.documents[0])
    assert found.value.kind == kind, found.value


def test_keys_in_the_file_are_worth_nothing_beside_those_that_are_known() -> None:
    forger = Log(3)
    with pytest.raises(Fault, match="none of those that are trusted"):
        check_bundle(forger.bundle(forger.documents[0]), forger.documents[0], {"two": "00" * 32})
    with pytest.raises(Fault, match="signature"):
        check_bundle(forger.bundle(forger.documents[0]), forger.documents[0], MINE.keys)


def test_a_head_from_before_is_continued_or_not() -> None:
    longer, document = Log(1, many=75), MINE.documents[0]
    known = MINE.head()
    assert check_bundle(longer.bundle(document, known=60), document, known=known).size == 75
    with pytest.raises(Fault) as cut:
        check_bundle(MINE.bundle(document), document, known=longer.head())
    assert cut.value.kind == "cut-off"
    with pytest.raises(Fault, match="continues"):
        check_bundle(longer.bundle(document), document, known=known)
    another = Log(1, many=75)
    another.leaves[3] = merkle.leaf_hash(b"written anew")
    with pytest.raises(Fault) as rewritten:
        check_bundle(another.bundle(another.documents[0], known=60), document, known=known)
    assert rewritten.value.kind == "changed"


def test_a_head_from_before_is_one_of_the_same_company_and_signed() -> None:
    longer, other, document = Log(1, many=75), Log(2), MINE.documents[0]
    other.key = MINE.key
    bundle = longer.bundle(document, known=60)
    with pytest.raises(Fault, match="of another tenant"):
        check_bundle(bundle, document, known=other.head())
    with pytest.raises(Fault) as unsigned:
        check_bundle(bundle, document, known={**MINE.head(), "number": 2})
    assert unsigned.value.kind == "not-signed"


@pytest.mark.parametrize("topic", [TOPIC, 'a"\\\n\u2028é', "発注.events"])
def test_a_log_hashes_a_standing_as_who_checks_it_does(topic: str) -> None:
    numbers = (3, 2**53 - 1, 12, 0)
    document = UUID("018f4d2e-0000-7000-8000-0000000000ab")
    assert documents.pair_of(topic, document, *numbers) == documents.Standing(topic, str(document), *numbers).pair()


@pytest.mark.parametrize(
    ("places", "whole"),
    [
        ([(1, 1), (1, 2), (2, 2), (2, 3)], True),
        ([(1, 1), (2, 1)], True),
        ([(1, 1), (2, 2), (1, 3)], False),
        ([(1, 1), (2, 3)], False),
        ([(1, 1), (1, 1)], False),
        ([(1, 2)], False),
    ],
)
def test_what_a_restored_publisher_says_goes_on_where_it_then_was(places: list[tuple[int, int]], whole: bool) -> None:
    entries = [{"epoch": epoch, "sequence": sequence, "position": at} for at, (epoch, sequence) in enumerate(places)]
    said = documents.Standing(TOPIC, "d", *places[-1], len(places), len(places) - 1)
    if whole:
        evidence._in_sequence(entries, said)
        return
    with pytest.raises(Fault) as found:
        evidence._in_sequence(entries, said)
    assert found.value.kind == "missing"


def test_a_bucket_has_each_document_once_and_nothing_is_hidden_in_a_pair() -> None:
    """Whoever signs could put an older standing of a document beside the newer one, or two into one pair that is twice as long."""
    old, new = documents.Standing(TOPIC, "d", 1, 1, 1, 0), documents.Standing(TOPIC, "d", 1, 2, 2, 1)
    other = documents.Standing(TOPIC, "e", 1, 1, 1, 2)
    path = list(documents.EMPTY[: documents.BITS])

    def proves(pairs: list[bytes], way: list[bytes]) -> bool:
        node, place = documents.bucket_hash(pairs), documents.bucket_of(old.key)
        for beside in way:
            node = merkle.node_hash(beside, node) if place & 1 else merkle.node_hash(node, beside)
            place >>= 1
        return documents.is_proven(pairs, way, old.key, node)

    assert proves([old.pair(), other.pair()], path)
    assert not proves([old.pair(), new.pair()], path)
    assert not proves([b"".join(sorted([old.pair(), other.pair()]))], path)
    assert not proves([old.pair()], [*path, documents.EMPTY[documents.BITS]])


def test_the_command_reads_files_and_says_what_holds(tmp_path: Path) -> None:
    from tailrace.cli.evidence import verify_bundle, verify_export

    document = MINE.documents[0]
    file, keys, log = tmp_path / "b.json", tmp_path / "k.json", tmp_path / "l.jsonl"
    keys.write_text(json.dumps({"keys": MINE.keys}))
    say = partial(verify_bundle, document, file, None, keys, as_json=False)
    file.write_text(json.dumps(MINE.bundle(document)))
    assert say()
    broken = MINE.bundle(document)
    broken["records"].pop()
    file.write_text(json.dumps(broken))
    assert not say()
    first = {"format": evidence.EXPORT_FORMAT, "head": MINE.head(), "keys": MINE.keys}
    log.write_text("".join(json.dumps(each) + "\n" for each in (first, *MINE.records)))
    assert verify_export(log, None, keys, as_json=True)
    log.write_text("".join(json.dumps(each) + "\n" for each in (first, *MINE.records[:-1])))
    assert not verify_export(log, None, keys, as_json=False)
