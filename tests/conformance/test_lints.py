"""What holds of every module of the libraries, as the invariants hold of the services'."""

import ast
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest
from findings import say_all

from tailrace.core.installed import installed

_MOST_LINES = 400
_MOST_MODULES = 20
_ROOT = Path(__file__).parents[2]
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
_KIT = ("tailrace_core", "tailrace", "tailrace_tools", "debezium_connector_config")


def _misused(text: str) -> list[str]:
    """The words of `_INSTEAD` in a text, in identifiers (snake or camel case) and prose alike."""
    return [found.lower() for found in _WORDS.findall(_HUMP.sub("_", text))]


@pytest.mark.parametrize("library", [*(f"libs/{name}" for name in (*_KIT, "tailrace_testing")), "contracts"])
def test_every_library_module_stays_one_room(library: str) -> None:
    modules = sorted((_ROOT / library / "src").rglob("*.py"))
    assert modules
    say_all([f"{path} {fault}" for path in modules for fault in _oversized(path.read_text())])


def test_a_module_that_is_no_single_room_is_caught() -> None:
    said = '"""What it promises."""\n'
    assert list(_oversized(said + "x = 1\n" * _MOST_LINES)) == [f"has more than {_MOST_LINES} lines"]
    assert list(_oversized("x = 1\n")) == ["opens with no docstring"]
    assert list(_oversized("")) == list(_oversized(said + "x = 1\n" * (_MOST_LINES - 1))) == []


def _oversized(text: str) -> Iterator[str]:
    if len(text.splitlines()) > _MOST_LINES:
        yield f"has more than {_MOST_LINES} lines"
    if text.strip() and not ast.get_docstring(ast.parse(text)):
        yield "opens with no docstring"


def test_no_room_of_the_kit_is_a_heap() -> None:
    """A newcomer finds a module by its room; modules of one subject get a room within it before there are too many."""
    rooms = {path.parent for kit in _KIT for path in (_ROOT / "libs" / kit / "src").rglob("*.py")}
    assert len(rooms) > 20
    say_all([f"{room.relative_to(_ROOT)} {fault}" for room in rooms for fault in _crowded(room)])


def test_a_heap_of_modules_is_caught(tmp_path: Path) -> None:
    for number in range(_MOST_MODULES + 1):
        assert list(_crowded(tmp_path)) == []
        (tmp_path / f"of_{number}.py").touch()
        (tmp_path / "__init__.py").touch()
    assert list(_crowded(tmp_path)) == [f"has more than {_MOST_MODULES} modules beside one another"]


def _crowded(room: Path) -> Iterator[str]:
    if sum(path.name != "__init__.py" for path in room.glob("*.py")) > _MOST_MODULES:
        yield f"has more than {_MOST_MODULES} modules beside one another"


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


@pytest.mark.parametrize("library", _KIT)
def test_the_kit_names_no_service(library: str) -> None:
    modules = sorted((_ROOT / "libs" / library / "src").rglob("*.py"))
    assert modules
    named = [
        f"{path.relative_to(_ROOT)}: {found}" for path in modules for found in _named(path.read_text(), installed())
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


_TESTS = ("services/*/tests", "libs/*/tests", "libs/tailrace_testing/src", "contracts/tests", "tests", "demo")


def test_no_test_keeps_what_time_it_was_when_it_was_read() -> None:
    modules = sorted({path for pattern in _TESTS for folder in _ROOT.glob(pattern) for path in folder.rglob("*.py")})
    assert len(modules) > 400
    say_all(
        [f"{path.relative_to(_ROOT)}: {found}" for path in modules for found in _kept_times(path.read_text())],
        "A suite runs past midnight: a test asks for the day while it runs (`tailrace_testing.today`).",
    )


def test_a_test_that_keeps_the_time_is_caught() -> None:
    assert list(_kept_times("TODAY = datetime.now(UTC).date()")) == ["now() in line 1"]
    assert list(_kept_times("class A:\n    day: date = date.today()")) == ["today() in line 2"]
    assert list(_kept_times("def f(day=today()):\n    return day")) == ["today() in line 1"]
    assert list(_kept_times("@parametrize('day', [today()])\ndef f(day):\n    now()")) == ["today() in line 1"]
    assert list(_kept_times("def f() -> date:\n    return today()\nlater = lambda: now()")) == []


def _kept_times(text: str) -> Iterator[str]:
    """The calls of `now` and `today` that are made when a module is imported: those in the body of no function."""
    waiting: list[ast.AST] = [ast.parse(text)]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            if called in ("now", "today"):
                yield f"{called}() in line {node.lineno}"
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            waiting += (*node.decorator_list, node.args)
        elif isinstance(node, ast.Lambda):
            waiting.append(node.args)
        else:
            waiting += ast.iter_child_nodes(node)


def test_a_service_says_why_it_writes_before_the_end() -> None:
    modules = sorted(_ROOT.glob("services/*/src/**/*.py"))
    assert len(modules) > 400
    say_all(
        [f"{path.relative_to(_ROOT)}: {found}" for path in modules for found in _unexplained(path.read_text())],
        "The commit writes everything, and `tx.load` finds what this transaction made: say above a flush what else needs it.",
    )


def test_a_flush_without_a_reason_is_caught() -> None:
    assert list(_unexplained("tx.add(row)\nawait tx.flush()")) == ["flush() in line 2"]
    assert list(_unexplained("    # Its lines refer to it.\n    await tx.flush()\nawait tx.flush()")) == [
        "flush() in line 3"
    ]


def _unexplained(text: str) -> Iterator[str]:
    """The flushes of a transaction above which no comment stands."""
    lines = text.splitlines()
    for number, line in enumerate(lines, 1):
        if line.strip() == "await tx.flush()" and not lines[number - 2].strip().startswith("#"):
            yield f"flush() in line {number}"


_NAMES = re.compile(r"\b_\w+")
_CODE = ("libs/*/src", "libs/*/tests", "services/*/src", "services/*/tests", "contracts", "demo", "tests")


def test_what_a_module_keeps_to_itself_it_uses() -> None:
    modules = sorted({path for pattern in _CODE for folder in _ROOT.glob(pattern) for path in folder.rglob("*.py")})
    assert len(modules) > 1000
    say_all([f"{path.relative_to(_ROOT)}: {found}" for path in modules for found in _unused(path.read_text())])


def test_a_private_name_that_is_left_over_is_caught() -> None:
    assert list(_unused("_HEADS = 1\n_TAILS: int = 2\nprint(_TAILS)")) == ["_HEADS in line 1"]
    assert list(_unused("def _help() -> None:\n    _help()\n\nclass _Left: ...")) == [
        "_help in line 1",
        "_Left in line 4",
    ]
    assert list(_unused("@route\ndef _found() -> None: ...\n_, MANY = 1, 2\n__all__ = []")) == []


def _unused(text: str) -> Iterator[str]:
    """The private names of a module's own level that no other statement there says; what is decorated, the decorator knows."""
    said = [(node, {name for each in ast.walk(node) for name in _said(each)}) for node in ast.parse(text).body]
    often = Counter(name for _, names in said for name in names)
    for node, names in said:
        for name in _defined(node):
            if re.match("_[^_]", name) and often[name] == (name in names):
                yield f"{name} in line {node.lineno}"


def _defined(node: ast.stmt) -> list[str]:
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return [] if node.decorator_list else [node.name]
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return [target.id for target in targets if isinstance(target, ast.Name)]


def _said(node: ast.AST) -> Iterator[str]:
    """Names that are read, and those in texts, since an annotation may be one."""
    if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
        yield node.id
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield from _NAMES.findall(node.value)
