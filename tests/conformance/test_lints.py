"""What holds of every module of the libraries, as the invariants hold of the services'."""

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_MOST_LINES = 400
_ROOT = Path(__file__).parents[2]
_LIBRARIES = ("tailrace", "tailrace_testing", "debezium_connector_config", "contracts")
_INSTEAD = {
    "anew": "again",
    "attendance": "subscriber offsets",
    "clockwork": "timer runner",
    "courier": "dispatcher",
    "deaf": "stalled",
    "fact": "event",
    "facts": "events",
    "farewell": "shutdown",
    "parked": "dead-lettered",
    "parking": "writing a dead letter",
    "parks": "writes a dead letter",
    "patience": "retry budget, or timeout",
    "standstill": "dead letters",
    "twin": "copy",
    "whoever": "a plain subject",
}
"""Words that the code once had, and the field's (docs/reference/glossary.md). `in fact` is plain English and stays."""
_WORDS = re.compile(rf"(?<![a-z])(?<!in )(?:{'|'.join(_INSTEAD)})(?![a-z])", re.IGNORECASE)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")


def _modules(library: str) -> Iterator[Path]:
    for folder in importlib.import_module(library).__path__:
        yield from Path(folder).rglob("*.py")


def _misused(text: str) -> list[str]:
    """The words of `_INSTEAD` in a text, in identifiers (snake or camel case) and prose alike."""
    return [found.lower() for found in _WORDS.findall(_HUMP.sub("_", text))]


@pytest.mark.parametrize("library", _LIBRARIES)
def test_every_library_module_stays_one_room(library: str) -> None:
    paths = list(_modules(library))
    assert len(paths) > 5
    for path in paths:
        text = path.read_text()
        assert len(text.splitlines()) <= _MOST_LINES, path
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path} opens with no docstring"


def test_sources_have_the_words_of_the_field() -> None:
    sources = [path for kind in ("py", "py.txt") for path in _ROOT.glob(f"*/*/src/**/*.{kind}")]
    sources += _ROOT.glob("contracts/src/**/*.py")
    assert len(sources) > 200
    found = {
        f"{path.relative_to(_ROOT)}:{number}: {word} → {_INSTEAD[word]}"
        for path in sources
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for word in _misused(line)
    }
    assert found == set()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("async def count_parked(tx: Tx) -> int:", ["parked"]),
        ("class FactWriter(Courier):", ["fact", "courier"]),
        ('"""Whoever is deaf begins anew, and FACTS wait."""', ["whoever", "deaf", "anew", "facts"]),
        ("_DROP_PATIENCE = 20.0", ["patience"]),
        ("in fact a factory made this artifact; between, twine and sparking stay", []),
    ],
)
def test_an_old_word_is_found_wherever_it_stands(text: str, words: list[str]) -> None:
    assert _misused(text) == words
