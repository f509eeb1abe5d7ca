"""The change log of the contracts tells what a reader would notice, once, newest first."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from tailrace.codegen.changelog import changed, with_changes
from tailrace.codegen.places import CHANGES, SCHEMAS

TEXT, PERSONAL = {"type": "string"}, {"type": "string", "x-personal": True}
LOG = CHANGES / "kite.events.md"
MONDAY, TUESDAY = date(2026, 3, 2), date(2026, 3, 3)


def schema(**fields: dict[str, Any]) -> str:
    return json.dumps({"title": "kite.flown", "x-topic": "kite.events", "type": "object", "properties": fields})


def files(**by_version: str) -> dict[Path, str]:
    return {SCHEMAS / f"kite.flown.{version}.json": text for version, text in by_version.items()}


def commit(root: Path, told: dict[Path, str]) -> None:
    (root / SCHEMAS).mkdir(parents=True, exist_ok=True)
    for path, text in told.items():
        (root / path).write_text(text)


def test_an_event_that_is_new_or_gone_and_a_field_that_came_or_is_personal_now(tmp_path: Path) -> None:
    commit(tmp_path, files(v1=schema(by=TEXT), v2=schema(by=TEXT)))
    told = list(changed(files(v2=schema(by=PERSONAL, where=TEXT), v3=schema(by=TEXT)), tmp_path))
    assert told == [
        ("kite.events", "`kite.flown` v1 is published no more"),
        ("kite.events", "`kite.flown` v2: `/where` is new and optional"),
        ("kite.events", "`kite.flown` v2: `by` is marked as personal"),
        ("kite.events", "`kite.flown` v3 is new"),
    ]


def test_wording_is_no_change(tmp_path: Path) -> None:
    commit(tmp_path, files(v1=schema(by=TEXT)))
    assert with_changes(files(v1=schema(by={**TEXT, "description": "Who."})), tmp_path, MONDAY) == {}


def test_days_are_told_newest_first_and_one_day_once(tmp_path: Path) -> None:
    for day, told in (
        (MONDAY, files(v1=schema(by=TEXT))),
        (MONDAY, files(v1=schema(by=TEXT), v2=schema(by=TEXT))),
        (TUESDAY, files(v1=schema(by=TEXT), v2=schema(by=TEXT, at=TEXT))),
    ):
        (tmp_path / SCHEMAS).mkdir(parents=True, exist_ok=True)
        log = with_changes(told, tmp_path, day)
        assert list(log) == [LOG]
        (tmp_path / CHANGES).mkdir(exist_ok=True)
        (tmp_path / LOG).write_text(log[LOG] or "")
        commit(tmp_path, told)
        assert with_changes(told, tmp_path, day) == {}
    lines = [line for line in (tmp_path / LOG).read_text().splitlines() if line.startswith(("##", "-"))]
    assert lines == [
        "## 2026-03-03",
        "- `kite.flown` v2: `/at` is new and optional",
        "## 2026-03-02",
        "- `kite.flown` v2 is new",
        "- `kite.flown` v1 is new",
    ]


def described(root: Path, told: dict[Path, str], day: date) -> list[str]:
    """The lines of the log once `told` was written on that day."""
    log = with_changes(told, root, day)[LOG]
    for old in (root / SCHEMAS).glob("*.json"):
        old.unlink()
    commit(root, told)
    (root / CHANGES).mkdir(exist_ok=True)
    (root / LOG).write_text(log or "")
    return [line for line in (log or "").splitlines() if line.startswith(("##", "-"))]


def test_what_came_and_went_on_one_day_is_not_told(tmp_path: Path) -> None:
    """Who writes a service describes it many times a day; readers are told what is there in the end."""
    monday = ["## 2026-03-02", "- `kite.flown` v1 is new"]
    assert described(tmp_path, files(v1=schema(by=TEXT)), MONDAY) == monday
    fresh = files(v1=schema(by=TEXT), v2=schema(by=TEXT), v3=schema(by=TEXT))
    both = ["## 2026-03-03", "- `kite.flown` v2 is new", "- `kite.flown` v3 is new"]
    assert described(tmp_path, fresh, TUESDAY) == both + monday
    # Another field of what is new that day, and an end of the other.
    left = files(v1=schema(by=TEXT), v3=schema(at=TEXT))
    assert described(tmp_path, left, TUESDAY) == ["## 2026-03-03", "- `kite.flown` v3 is new", *monday]
    assert described(tmp_path, files(v1=schema(by=TEXT)), TUESDAY) == monday
    # What was there before that day is told as ever.
    ended = described(tmp_path, files(v2=schema(by=TEXT)), TUESDAY)
    assert ended[:3] == ["## 2026-03-03", "- `kite.flown` v1 is published no more", "- `kite.flown` v2 is new"]


def test_a_log_without_a_line_is_none(tmp_path: Path) -> None:
    commit(tmp_path, files(v1=schema(by=TEXT)))
    described(tmp_path, files(v1=schema(by=TEXT), v2=schema(by=TEXT)), MONDAY)
    assert with_changes(files(v1=schema(by=TEXT)), tmp_path, MONDAY) == {LOG: None}


def test_the_log_of_a_topic_goes_with_its_last_event(tmp_path: Path) -> None:
    commit(tmp_path, files(v1=schema(by=TEXT)))
    assert with_changes({}, tmp_path, MONDAY) == {}
    (tmp_path / CHANGES).mkdir()
    (tmp_path / LOG).write_text("…")
    assert with_changes(files(v1=schema(by=TEXT)), tmp_path, MONDAY) == {}
    assert with_changes({}, tmp_path, MONDAY) == {LOG: None}
    # Also when somebody took its schemas away by hand.
    (tmp_path / SCHEMAS / "kite.flown.v1.json").unlink()
    assert with_changes({}, tmp_path, MONDAY) == {LOG: None}
