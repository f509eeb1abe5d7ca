"""The change log of the contracts tells what a reader would notice, once, newest first."""

import json
from datetime import date
from pathlib import Path
from typing import Any

from tailrace.codegen.changelog import changed, with_changes
from tailrace.codegen.places import CHANGELOG, SCHEMAS

TEXT, PERSONAL = {"type": "string"}, {"type": "string", "x-personal": True}
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
        "`kite.flown` v1 is published no more",
        "`kite.flown` v2: `/where` is new and optional",
        "`kite.flown` v2: `by` is marked as personal",
        "`kite.flown` v3 is new, on `kite.events`",
    ]


def test_wording_is_no_change(tmp_path: Path) -> None:
    commit(tmp_path, files(v1=schema(by=TEXT)))
    assert with_changes(files(v1=schema(by={**TEXT, "description": "Who."})), tmp_path, MONDAY) is None


def test_days_are_told_newest_first_and_one_day_once(tmp_path: Path) -> None:
    for day, told in (
        (MONDAY, files(v1=schema(by=TEXT))),
        (MONDAY, files(v1=schema(by=TEXT), v2=schema(by=TEXT))),
        (TUESDAY, files(v1=schema(by=TEXT), v2=schema(by=TEXT, at=TEXT))),
    ):
        (tmp_path / SCHEMAS).mkdir(parents=True, exist_ok=True)
        log = with_changes(told, tmp_path, day)
        assert log is not None
        (tmp_path / CHANGELOG).write_text(log)
        commit(tmp_path, told)
        assert with_changes(told, tmp_path, day) is None
    lines = [line for line in (tmp_path / CHANGELOG).read_text().splitlines() if line.startswith(("##", "-"))]
    assert lines == [
        "## 2026-03-03",
        "- `kite.flown` v2: `/at` is new and optional",
        "## 2026-03-02",
        "- `kite.flown` v2 is new, on `kite.events`",
        "- `kite.flown` v1 is new, on `kite.events`",
    ]
