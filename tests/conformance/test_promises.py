"""The page of promises names tests that exist, and every crash test has its promise there."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs/reference/promises.md"
_ROW = re.compile(r"^\| (?!Promise |-)(.+?) \| (.*) \|$", re.MULTILINE)
_TEST = re.compile(r"\[`(test_\w+)`\]\(\.\./\.\./([\w/.-]+\.py)\)")


def _rows() -> dict[str, list[tuple[str, str]]]:
    """The tests, as (file, name), that prove each promise."""
    rows = _ROW.findall(PAGE.read_text())
    return {promise: [(path, name) for name, path in _TEST.findall(proof)] for promise, proof in rows}


def _tests_in(path: Path) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {
        node.name
        for node in ast.parse(path.read_text()).body
        if isinstance(node, functions) and node.name.startswith("test_")
    }


def test_every_promise_has_a_test_that_exists() -> None:
    rows = _rows()
    assert len(rows) > 30
    assert [promise for promise, tests in rows.items() if not tests] == []
    named = {test for tests in rows.values() for test in tests}
    missing = {
        (path, name) for path, name in named if not (ROOT / path).is_file() or name not in _tests_in(ROOT / path)
    }
    assert missing == set()


def test_every_crash_test_proves_a_promise() -> None:
    named = {test for tests in _rows().values() for test in tests}
    files = sorted((ROOT / "tests/faults").glob("test_crash_*.py"))
    there = {(str(path.relative_to(ROOT)), name) for path in files for name in _tests_in(path)}
    assert there - named == set()
