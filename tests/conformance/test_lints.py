"""What holds of every module of the libraries, as the invariants hold of the services'."""

import ast
import importlib
from pathlib import Path

import pytest
from findings import say_all

_MOST_LINES = 400


@pytest.mark.parametrize("library", ["tailrace", "tailrace_testing", "debezium_connector_config", "contracts"])
def test_every_library_module_stays_one_room(library: str) -> None:
    package = Path(importlib.import_module(library).__file__ or "").parent
    found = []
    for path in package.rglob("*.py"):
        text = path.read_text()
        if len(text.splitlines()) > _MOST_LINES:
            found.append(f"{path} has more than {_MOST_LINES} lines")
        if text.strip() and not ast.get_docstring(ast.parse(text)):
            found.append(f"{path} opens with no docstring")
    say_all(found)
