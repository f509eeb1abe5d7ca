"""The page "Add a service": what `tailrace new service` writes, and what the page builds by hand, passes the checks, its own tests and conformance.

The commands are the page's own, without `make`, which would install the whole checkout once more.
"""

import shlex
from pathlib import Path

import pytest
from pages import blocks, files_of
from sandbox import Sandbox

PAGE = "docs/how-to/add-a-service.md"


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
    """Every file, and then `companies` is made by the quick way: a name whose singular has to be guessed."""
    before = {str(path.relative_to(sandbox.root)): path.read_bytes() for path in _files(sandbox.root)}
    [command] = _typed(".venv/bin/tailrace new service")
    said = sandbox.typed([word.replace("widgets", "companies") for word in command])
    assert "services/companies/src/companies/service.py" in said
    return before


@pytest.mark.usefixtures("before")
def test_lint_types_and_generated_files_are_in_order(sandbox: Sandbox) -> None:
    sandbox.python("-m", "ruff", "check", ".")
    sandbox.python("-m", "ruff", "format", "--check", ".")
    sandbox.python("-m", "tailrace.cli", "describe", "--check")
    written = ["services/companies/src", "services/claims/src", "contracts/src"]
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
    services = ["services/companies", "services/claims"]
    said = sandbox.python("-m", "pytest", "-q", *services, "tests/conformance", "-k", "companies or claims")
    assert " passed" in said
    assert " skipped" not in said


@pytest.mark.usefixtures("before")
def test_a_second_one_of_that_name_is_refused(sandbox: Sandbox) -> None:
    there = sorted(_files(sandbox.root))
    for name in ("companies", "json", "Widgets", "x", "order-lines", "class", "fastapi"):
        again = sandbox.attempt("-m", "tailrace.cli", "new", "service", name)
        assert again.returncode == 1, name
        assert again.stderr.startswith("✗ "), again.stderr
    assert sorted(_files(sandbox.root)) == there


def test_it_is_taken_back_without_a_trace(sandbox: Sandbox, before: dict[str, bytes]) -> None:
    for command in _typed(".venv/bin/python -m pip uninstall"):
        sandbox.typed([word.replace("widgets", "companies").replace("widget.", "company.") for word in command])
    assert {str(path.relative_to(sandbox.root)): path.read_bytes() for path in _files(sandbox.root)} == before


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and not _is_cache(path)]


def _is_cache(path: Path) -> bool:
    return "__pycache__" in path.parts or "_cache" in str(path) or ".hypothesis" in path.parts
