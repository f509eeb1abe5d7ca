"""What holds of every module of the libraries, as the invariants hold of the services'."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tailrace.core.installed import installed

_MOST_LINES = 400
_KIT = ("tailrace_core", "tailrace", "tailrace_tools", "debezium_connector_config")
ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("library", [*(f"libs/{name}" for name in (*_KIT, "tailrace_testing")), "contracts"])
def test_every_library_module_stays_one_room(library: str) -> None:
    modules = sorted((ROOT / library / "src").rglob("*.py"))
    assert modules
    for path in modules:
        text = path.read_text()
        assert len(text.splitlines()) <= _MOST_LINES, path
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path} opens with no docstring"


@pytest.mark.parametrize("library", _KIT)
def test_the_kit_names_no_service(library: str) -> None:
    modules = sorted((ROOT / "libs" / library / "src").rglob("*.py"))
    assert modules
    named = [
        f"{path.relative_to(ROOT)}: {found}" for path in modules for found in _named(path.read_text(), installed())
    ]
    assert named == [], "what is meant of a service, its manifest says"


def test_a_kit_that_names_a_service_is_caught() -> None:
    names = ["orders", "gateway"]
    assert list(_named('PORT = ports["gateway"]', names)) == ["'gateway' in line 1"]
    assert list(_named('url = f"http://orders:{port}/v1"', names)) == ["'orders' in line 1"]
    assert list(_named('def f() -> None:\n    """As orders does."""\n    gateway_port = 1', names)) == []


def _named(text: str, services: Iterable[str]) -> Iterator[str]:
    """The services that stand in a module's strings; what its docstrings give as an example decides nothing."""
    words = re.compile(rf"(?<![\w-])({'|'.join(map(re.escape, services))})(?![\w-])")
    tree = ast.parse(text)
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from (f"{found!r} in line {node.lineno}" for found in words.findall(node.value))
