"""Whatever is done to stored records, an exported head finds it: 1,000 tamperings at random, and each kind by hand. A bundle proves a document."""

import copy
import json
from collections.abc import Callable
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from scribe import AT, Scribe

from tailrace.core.ids import uuid7
from tailrace.verify.evidence import ENTRY_FIELDS, Fault, canonical, check_bundle, check_export, entry_bytes

Records = list[dict[str, Any]]
TRIES = 1000


def _edit(records: Records, other: Records, dice: Random) -> None:
    record = dice.choice(records)
    name = dice.choice([*ENTRY_FIELDS, "data", "salt"])
    if name in ("data", "salt") and dice.random() < 0.7:
        record[name] = record[name].replace(record[name][3], "0" if record[name][3] != "0" else "1", 1)
        return
    entry, name = record["entry"], dice.choice(ENTRY_FIELDS)
    value = entry[name]
    entry[name] = value + 1 if isinstance(value, int) else f"{value}x" if isinstance(value, str) else "someone"


def _delete(records: Records, other: Records, dice: Random) -> None:
    del records[dice.randrange(len(records) - 1)]


def _cut_off(records: Records, other: Records, dice: Random) -> None:
    del records[-dice.randint(1, 5) :]


def _insert(records: Records, other: Records, dice: Random) -> None:
    forged = copy.deepcopy(dice.choice(records))
    forged["entry"]["id"] = str(uuid4())
    records.insert(dice.randrange(len(records)), forged)


def _reorder(records: Records, other: Records, dice: Random) -> None:
    one, two = dice.sample(range(len(records)), 2)
    records[one], records[two] = records[two], records[one]


def _swap_tenants(records: Records, other: Records, dice: Random) -> None:
    at = dice.randrange(len(records))
    records[at] = copy.deepcopy(other[at])


def _renumber(records: Records, other: Records, dice: Random) -> None:
    """Deleted, and everything after it made to fit: positions and hashes too."""
    from tailrace.verify.evidence import leaf_of

    del records[dice.randrange(len(records) - 1)]
    prev = "0" * 64
    for position, record in enumerate(records):
        record["entry"] |= {"position": position, "prev": prev}
        prev = leaf_of(record["entry"]).hex()


KINDS: list[Callable[[Records, Records, Random], None]] = [
    _edit,
    _delete,
    _cut_off,
    _insert,
    _reorder,
    _swap_tenants,
    _renumber,
]


async def _exported(scribe: Scribe) -> tuple[dict[str, Any], Records, dict[str, str], Records]:
    await scribe.fill(60, documents=12)
    await scribe.fill(60, documents=12, tenant=scribe.h.other_tenant)
    await scribe.sign()
    head, *records = await scribe.export()
    theirs = scribe.h.client_as(tenant=scribe.h.other_tenant)
    assert (await theirs.post(f"{AT}/heads")).status_code == 201
    other = [json.loads(line) for line in (await theirs.get(f"{AT}/export")).text.splitlines()[1:]]
    return head["head"], records, head["keys"], other


async def test_a_thousand_tamperings_are_found(scribe: Scribe) -> None:
    head, records, keys, other = await _exported(scribe)
    assert check_export(head, records, keys).records == 60
    dice, missed = Random(20261127), []
    for number in range(TRIES):
        tampered = copy.deepcopy(records)
        kind = KINDS[number % len(KINDS)]
        kind(tampered, other, dice)
        assert tampered != records, kind.__name__
        try:
            check_export(head, tampered, keys)
        except Fault:
            continue
        missed.append((number, kind.__name__))
    assert missed == []


async def test_what_is_changed_in_the_database_is_found_by_a_head_from_before(scribe: Scribe) -> None:
    """The owner of the database edits, and has the log signed anew."""
    document = (await scribe.fill(20))[0]
    known = await scribe.sign()
    before = await scribe.get(f"{AT}/documents/{document}/bundle")
    await scribe.h.admin.execute("UPDATE record SET actor_id = 'somebody else' WHERE position = 0")
    with pytest.raises(Fault) as found:
        check_bundle(await scribe.get(f"{AT}/documents/{document}/bundle"), str(document))
    assert found.value.kind == "changed"
    await scribe.h.admin.execute("UPDATE record SET actor_id = $1 WHERE position = 0", str(scribe.h.user))
    assert check_bundle(before, str(document)).records == 4
    await scribe.fill(5)
    await scribe.sign()
    bundle = await scribe.get(f"{AT}/documents/{document}/bundle", known_size=known["size"])
    assert check_bundle(bundle, str(document), known=known).size == 25
    # A log that was written anew is whole by itself, and does not continue the one that was signed.
    forged = {**known, "root": "00" * 32}
    with pytest.raises(Fault, match="signature"):
        check_bundle(bundle, str(document), known=forged)


STORED: dict[str, str] = {
    "edit": "UPDATE record SET {column} = {value} WHERE position = $1",
    "what it said": "UPDATE content SET data = data || ' ' WHERE position = $1",
    "its salt": "UPDATE content SET salt = sha256(salt) WHERE position = $1",
    "delete": "DELETE FROM record WHERE position = $1",
    "delete and close up": "WITH gone AS (DELETE FROM record WHERE position = $1)"
    " UPDATE record SET position = -position WHERE position > $1",
    "insert": "UPDATE record SET position = -position WHERE position >= $1",
    "reorder": "UPDATE record SET position = -position WHERE position IN ($1, $1 + 1)",
    "cut off": "DELETE FROM record WHERE position >= $1",
    "swap tenants": "UPDATE record SET position = -position, tenant_id = CASE tenant_id"
    " WHEN '{tenant}' THEN '{other}'::uuid ELSE '{tenant}'::uuid END WHERE position = $1",
}
"""What the owner of the database does to the record at a position; what is left below zero then comes to where it should be."""
SETTLED: dict[str, str] = {
    "delete and close up": "UPDATE record SET position = -position - 1 WHERE position < 0",
    "insert": "WITH moved AS (UPDATE record SET position = 1 - position WHERE position < 0) INSERT INTO record SELECT (jsonb_populate_record("
    "r, jsonb_build_object('id', gen_random_uuid(), 'position', $1))).* FROM record r WHERE tenant_id = '{tenant}' AND position = 0",
    "reorder": "UPDATE record SET position = 2 * $1 + 1 + position WHERE position < 0",
    "swap tenants": "UPDATE record SET position = -position WHERE position < 0",
}
COLUMNS: dict[str, str] = {
    **dict.fromkeys(("type", "topic", "service", "actor_id"), "{column} || 'x'"),
    **dict.fromkeys(("id", "document_id", "correlation_id", "causation_id"), "gen_random_uuid()"),
    **dict.fromkeys(("schema", "epoch", "sequence"), "{column} + 1"),
    **dict.fromkeys(("prev", "commitment"), "sha256({column})"),
    "occurred_at": "occurred_at + interval '1 microsecond'",
}

TIMES = 1
"""How often each of these, at a random place: one takes a tenth of a second."""


async def test_whatever_is_done_to_the_stored_rows_a_head_from_before_finds(scribe: Scribe) -> None:
    head, before, keys, _ = await _exported(scribe)
    admin, dice, done = scribe.h.admin, Random(7), 0
    for table in ("record", "content"):
        await admin.execute(f"CREATE TABLE kept_{table} AS TABLE {table}")
    ways = [("edit", column) for column in COLUMNS] + [(kind, "") for kind in STORED if kind != "edit"]
    for kind, column in ways:
        for place in dice.sample(range(1, 59), TIMES):
            said = {"column": column, "tenant": str(scribe.h.tenant), "other": str(scribe.h.other_tenant)}
            said["value"] = COLUMNS.get(column, "").format(column=column)
            for statement in (STORED[kind], SETTLED.get(kind)):
                if statement is not None:
                    await admin.execute(statement.format(**said).replace("$1", str(place)))
            records = (await scribe.export())[1:]
            assert records != before, kind
            with pytest.raises(Fault):
                check_export(head, records, keys)
            for table in ("content", "record"):
                await admin.execute(f"DELETE FROM {table}")
                await admin.execute(f"INSERT INTO {table} TABLE kept_{table}")
            done += 1
    assert done == TIMES * len(ways)
    assert check_export(head, (await scribe.export())[1:], keys).records == 60


async def test_a_bundle_has_all_of_a_document_and_shows_when_it_has_not(scribe: Scribe) -> None:
    documents = await scribe.fill(40, documents=4)
    await scribe.sign()
    document = str(documents[1])
    bundle = await scribe.get(f"{AT}/documents/{document}/bundle")
    verdict = check_bundle(bundle, document)
    assert (verdict.records, verdict.size, verdict.withheld) == (10, 40, 0)

    def broken(change: Callable[[dict[str, Any]], object]) -> str:
        changed = copy.deepcopy(bundle)
        change(changed)
        with pytest.raises(Fault) as found:
            check_bundle(changed, document)
        return found.value.kind

    assert broken(lambda b: b["records"].pop()) == "cut-off"
    assert broken(lambda b: b["records"].pop(3)) == "missing"
    assert broken(lambda b: b["records"].reverse()) == "missing"
    assert broken(lambda b: b["records"][0].update(data='{"number": 9}')) == "changed"
    assert broken(lambda b: b["records"][0]["entry"].update(actor="me")) == "changed"
    assert broken(lambda b: b["records"].append(b["records"][-1])) == "missing"
    assert broken(lambda b: b["head"].update(size=39)) == "not-signed"
    assert broken(lambda b: b["standing"]["standing"].update(sequence=9, records=9, last=33)) == "changed"
    assert broken(lambda b: b["standing"]["bucket"].clear()) == "changed"
    assert broken(lambda b: b.pop("standing")) == "malformed"
    with pytest.raises(Fault, match="none of those that are trusted"):
        check_bundle(bundle, document, {"another": "00" * 32})
    with pytest.raises(Fault) as other:
        check_bundle(bundle, str(documents[0]))
    assert other.value.kind == "missing"


async def test_what_is_no_text_is_proven_without_its_words(scribe: Scribe) -> None:
    document = uuid7()
    record = scribe.event("order.noted", document)
    record.value = b"\xff\x00\xfe"
    await scribe.say(record, scribe.event("order.noted", document))
    await scribe.sign()
    bundle = await scribe.get(f"{AT}/documents/{document}/bundle")
    assert check_bundle(bundle, str(document)).withheld == 1
    head, *records = await scribe.export()
    assert check_export(head["head"], records, head["keys"]).withheld == 1


async def test_a_bundle_waits_for_a_head_that_covers_the_newest(scribe: Scribe) -> None:
    document = uuid7()
    await scribe.say(scribe.event("order.noted", document))
    answer = await scribe.h.client.get(f"{AT}/documents/{document}/bundle")
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:tailrace:problem:not-signed-yet")
    await scribe.sign()
    assert len((await scribe.get(f"{AT}/documents/{document}/bundle"))["records"]) == 1
    await scribe.get(f"{AT}/documents/{uuid7()}/bundle", 404)


def test_the_quick_way_to_a_records_form_is_that_of_rfc_8785() -> None:
    from datetime import UTC, datetime

    dice = Random(3)
    for _ in range(200):
        text = "".join(chr(dice.choice([*range(1, 0x300), 0x2028, 0x1F600, 0xFFFD])) for _ in range(12))
        time = datetime(2026, 1, 2, 3, 4, 5, dice.randrange(10**6), tzinfo=UTC)
        ids = [uuid7() for _ in range(4)]
        cause = dice.choice([None, uuid7()])
        actor = dice.choice([None, text])
        given = (
            actor,
            cause,
            ids[0],
            "ab" * 32,
            ids[1],
            1,
            ids[2],
            7,
            "cd" * 32,
            2,
            2**53 - 1,
            text,
            ids[3],
            time,
            text,
            text,
        )
        said = {
            name: value
            if value is None or isinstance(value, int)
            else time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
            if value is time
            else str(value)
            for name, value in zip(ENTRY_FIELDS, given, strict=True)
        }
        assert entry_bytes(*given) == canonical(said)
