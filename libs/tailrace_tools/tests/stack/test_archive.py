"""Which files a base backup holds, which segments are still needed, and topics as files and back."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import pytest
from aiokafka import ConsumerRecord

from tailrace.core.operator_error import OperatorError
from tailrace.kafka import topic_copies
from tailrace.stack import archive
from tailrace.stack.archive import Archive, Base


def _base(where: Archive, name: str, made_at: str, wal_from: str) -> Base:
    base = Base(name, made_at, wal_from, "0/1", 1.0)
    folder = where.folder / "base" / name
    folder.mkdir(parents=True)
    (folder / "backup.json").write_text(json.dumps(asdict(base)))
    return base


def test_what_belongs_to_one_run_of_the_server_is_left_out(tmp_path: Path) -> None:
    for name in (
        "base/1/16384",
        "base/1/pgsql_tmp12.0",
        "pg_wal/000000010000000000000001",
        "pg_replslot/s/state",
        "PG_VERSION",
        "postmaster.pid",
    ):
        path = tmp_path / "cluster" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    archive._copy_cluster(tmp_path / "cluster", tmp_path / "copy")
    found = {str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*") if path.is_file()}
    assert found == {"base/1/16384", "PG_VERSION"}
    assert (tmp_path / "copy" / "pg_replslot").is_dir()


def test_the_newest_backup_before_a_moment_is_taken_and_old_segments_go(tmp_path: Path) -> None:
    where = Archive(tmp_path)
    where.wal.mkdir()
    first = _base(where, "a", "2026-03-01T00:00:00+00:00", "000000010000000000000005")
    second = _base(where, "b", "2026-03-02T00:00:00+00:00", "000000020000000000000009")
    names = ["000000010000000000000004", "000000010000000000000008", "000000020000000000000009", "00000002.history"]
    for name in names:
        (where.wal / f"{name}.gz").touch()
    assert where.base_for(None) == second
    assert where.base_for(datetime(2026, 3, 1, 12, tzinfo=UTC)) == first
    with pytest.raises(OperatorError, match="no backup from before"):
        where.base_for(datetime(2026, 2, 1, tzinfo=UTC))
    where.thin_out(2)
    assert {file.name for file in where.wal.iterdir()} == {f"{name}.gz" for name in names[1:]}
    where.thin_out(1)
    assert {file.name for file in where.wal.iterdir()} == {f"{name}.gz" for name in names[2:]}
    assert where.bases() == [second]


def test_a_folder_that_cannot_stand_in_a_setting_is_refused() -> None:
    with pytest.raises(OperatorError, match="cannot be a folder"):
        Archive.named(Path("/tmp/it's 100%"))


def _record(offset: int, value: bytes | None) -> ConsumerRecord:
    headers = [("ce_id", b"1"), ("empty", None)]
    return ConsumerRecord("t", 1, offset, 1000 + offset, 0, b"\x00key", value, None, 4, 4, headers)


def test_records_come_back_as_they_were_in_the_order_of_the_copies(tmp_path: Path) -> None:
    for name, some in (
        ("1", [_record(0, b"a"), _record(1, None)]),
        ("2", [_record(2, "ü".encode())]),
        ("3.part", [_record(9, b"no")]),
    ):
        folder = tmp_path / name
        folder.mkdir()
        topic_copies._write(folder, some)
        (folder / "ends.json").write_text(json.dumps([["t", 1, some[-1].offset + 1]]))
    found = list(topic_copies.read_copies(tmp_path, "t"))
    assert [(each.value, each.timestamp) for each in found] == [(b"a", 1000), (None, 1001), ("ü".encode(), 1002)]
    assert found[0].key == b"\x00key"
    assert found[0].headers == [("ce_id", b"1"), ("empty", None)]
    assert list(topic_copies._reached(tmp_path).values()) == [3]
