"""The page "Add a service": what `tailrace new service` writes, and what the page builds by hand, passes the checks, its own tests and conformance.

The commands are the page's own, without `make`, which would install the whole checkout once more.
"""

import shlex
from pathlib import Path

import pytest
from pages import blocks, files_of
from sandbox import Sandbox

from tailrace.codegen.scaffold import singular

pytestmark = pytest.mark.lasts(60)

PAGE = "docs/how-to/add-a-service.md"
# By the quick way: a name whose singular has to be guessed; one service for each option, and one with all of them.
MADE = {
    "companies": "",
    "pods": "part",
    "rockets": "reaction",
    "tides": "timer",
    "copiers": "copy",
    "boxes": "kind",
    "gears": "part,reaction,timer,copy,kind",
}


def _typed(first_words: str) -> list[list[str]]:
    """The commands of the block that begins with these words."""
    block = next(block for block in blocks(PAGE, "sh") if block.text.startswith(first_words))
    return [shlex.split(line) for line in block.text.splitlines()]


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A checkout with `claims`, the service that the page builds by hand."""
    sandbox = Sandbox(tmp_path_factory.mktemp("newcomer"))
    for name, text in files_of(PAGE).items():
        path = sandbox.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    install, *commands = _typed("make install")
    assert install == ["make", "install"]
    sandbox.python("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "-e", "services/claims")
    for command in commands:
        if command[0] != "make":
            sandbox.typed(command)
    return sandbox


@pytest.fixture(scope="module")
def before(sandbox: Sandbox) -> dict[str, bytes]:
    """Every file, and then the services of `MADE` are made by the quick way."""
    before = {str(path.relative_to(sandbox.root)): path.read_bytes() for path in _files(sandbox.root)}
    [bare] = _typed(".venv/bin/tailrace new service widgets")
    [having] = _typed(".venv/bin/tailrace new service gadgets")
    for name, options in MADE.items():
        words = [*having[:-1], options] if options else bare
        said = sandbox.typed([word.replace("widgets", name).replace("gadgets", name) for word in words])
        assert f"services/{name}/migrations/0001_{name}.py" in said
    return before


@pytest.mark.usefixtures("before")
def test_lint_types_and_generated_files_are_in_order(sandbox: Sandbox) -> None:
    sandbox.python("-m", "ruff", "check", ".")
    sandbox.python("-m", "ruff", "format", "--check", ".")
    sandbox.python("-m", "tailrace.cli", "describe", "--check")
    written = [*(f"services/{name}/src" for name in (*MADE, "claims")), "contracts/src"]
    sources = [*written, "libs/tailrace_core/src", "libs/tailrace/src", "libs/debezium_connector_config/src"]
    sandbox.python("-m", "mypy", *written, MYPYPATH=":".join(sources))


@pytest.mark.usefixtures("before")
def test_imports_stay_within_their_bounds(sandbox: Sandbox) -> None:
    sandbox.python(
        "-c", "from importlinter.cli import lint_imports_command as run; run()", "--config", "dist/importlinter.ini"
    )


@pytest.mark.usefixtures("before")
def test_its_own_tests_and_conformance_pass(sandbox: Sandbox) -> None:
    typed = next(command[2] for command in _typed("make install") if command[:2] == ["make", "test"])
    assert typed == "SERVICE=claims"
    services = (*MADE, "claims")
    where = [f"services/{name}" for name in services]
    said = sandbox.python("-m", "pytest", "-q", *where, "tests/conformance", "-k", " or ".join(services))
    assert " passed" in said
    assert " skipped" not in said


@pytest.mark.usefixtures("before")
def test_a_second_one_of_that_name_is_refused(sandbox: Sandbox) -> None:
    there = sorted(_files(sandbox.root))
    for name in ("companies", "json"):
        again = sandbox.attempt("-m", "tailrace.cli", "new", "service", name)
        assert again.returncode == 1, name
        assert again.stderr.startswith("✗ "), again.stderr
    unknown = sandbox.attempt("-m", "tailrace.cli", "new", "service", "spoons", "--with", "part,alarm")
    assert (unknown.returncode, "there is no option 'alarm'" in unknown.stderr) == (1, True)
    assert sorted(_files(sandbox.root)) == there


def test_it_is_taken_back_without_a_trace(sandbox: Sandbox, before: dict[str, bytes]) -> None:
    *undo, describe = _typed(".venv/bin/python -m pip uninstall")
    for name in MADE:
        one = singular(name)
        for command in undo:
            sandbox.typed([word.replace("widgets", name).replace("widget.", f"{one}.") for word in command])
    sandbox.typed(describe)
    assert {str(path.relative_to(sandbox.root)): path.read_bytes() for path in _files(sandbox.root)} == before


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and not _is_cache(path)]


def _is_cache(path: Path) -> bool:
    return "__pycache__" in path.parts or "_cache" in str(path) or ".hypothesis" in path.parts
