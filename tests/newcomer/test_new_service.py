"""`tailrace new service`: what it writes passes the checks, its own tests and conformance, untouched."""

from pathlib import Path

import pytest
from sandbox import Sandbox


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    sandbox = Sandbox(tmp_path_factory.mktemp("newcomer"))
    said = sandbox.python("-m", "tailrace.cli", "new", "service", "companies")
    assert "services/companies/src/companies/service.py" in said
    return sandbox


def test_lint_types_and_generated_files_are_in_order(sandbox: Sandbox) -> None:
    sandbox.python("-m", "ruff", "check", ".")
    sandbox.python("-m", "ruff", "format", "--check", ".")
    sandbox.python("-m", "tailrace.cli", "describe", "--check")
    sources = ["services/companies/src", "contracts/src", "libs/tailrace/src", "libs/debezium_connector_config/src"]
    sandbox.python("-m", "mypy", *sources[:2], MYPYPATH=":".join(sources))


def test_imports_stay_within_their_bounds(sandbox: Sandbox) -> None:
    sandbox.python("-c", "from importlinter.cli import lint_imports_command as run; run()")


def test_its_own_tests_and_conformance_pass(sandbox: Sandbox) -> None:
    said = sandbox.python("-m", "pytest", "-q", "services/companies", "tests/conformance", "-k", "companies")
    assert " passed" in said
    assert " skipped" not in said


def test_a_second_one_of_that_name_is_refused(sandbox: Sandbox) -> None:
    before = sorted(_files(sandbox.root))
    for name in ("companies", "json", "Widgets", "x", "order-lines", "class", "fastapi"):
        again = sandbox.attempt("-m", "tailrace.cli", "new", "service", name)
        assert again.returncode == 1, name
        assert again.stderr.startswith("✗ "), again.stderr
    assert sorted(_files(sandbox.root)) == before


def _files(root: Path) -> list[str]:
    return [str(path) for path in root.rglob("*") if "__pycache__" not in path.parts and "_cache" not in str(path)]
