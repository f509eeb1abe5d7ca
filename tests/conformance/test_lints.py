"""What holds of every module of the libraries, as the invariants hold of the services'."""

import ast
import importlib
from pathlib import Path

import pytest

_MOST_LINES = 400


@pytest.mark.parametrize("library", ["tailrace", "tailrace_testing", "debezium_connector_config", "contracts"])
def test_every_library_module_stays_one_room(library: str) -> None:
    package = Path(importlib.import_module(library).__file__ or "").parent
    for path in package.rglob("*.py"):
        text = path.read_text()
        assert len(text.splitlines()) <= _MOST_LINES, path
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path} opens with no docstring"
