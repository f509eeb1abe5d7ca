"""The page "Add a service": what `tailrace new service` writes, and what the page builds by hand, passes the checks, its own tests and conformance.

The commands are the page's own, without `make`, which would install the whole checkout once more. Two branches of one trunk add a service each, one
by hand and one by the command, and are merged; everything else is made and looked at there.
"""

import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from pages import blocks, files_of
from sandbox import Sandbox

from tailrace.codegen.scaffold import singular

pytestmark = pytest.mark.lasts(200)

PAGE = "docs/how-to/add-a-service.md"
BY_HAND = "claims"
BARE = "companies"
"""A name whose singular has to be guessed."""
FULL = "gears"
WITH = {"pods": "part", "rockets": "reaction", "tides": "timer", "copiers": "copy", "boxes": "kind"}
"""One service for each option, beside the one that has all of them."""
MADE = (BARE, FULL, *WITH)


def _typed(first_words: str) -> list[list[str]]:
    """The commands of the block that begins with these words."""
    block = next(block for block in blocks(PAGE, "sh") if block.text.startswith(first_words))
    return [shlex.split(line) for line in block.text.splitlines()]


def _git(sandbox: Sandbox, *arguments: str) -> str:
    command = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false", *arguments]
    done = subprocess.run(command, cwd=sandbox.root, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def _commit(sandbox: Sandbox, name: str) -> set[str]:
    """On a branch of that name; the files that were there already and changed."""
    _git(sandbox, "switch", "-q", "-c", name)
    _git(sandbox, "add", "--all")
    changed = set(_git(sandbox, "diff", "--cached", "--name-only", "--diff-filter=MDR").split())
    _git(sandbox, "commit", "-q", "-m", name)
    return changed


def _install(sandbox: Sandbox, name: str) -> None:
    sandbox.python("-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "-e", f"services/{name}")


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """A checkout with `claims`, the service that the page builds by hand, on a branch of its own."""
    sandbox = Sandbox(tmp_path_factory.mktemp("newcomer"))
    _git(sandbox, "init", "-q", "-b", "trunk")
    _git(sandbox, "add", "--all")
    _git(sandbox, "commit", "-q", "-m", "as it is")
    for name, text in files_of(PAGE).items():
        path = sandbox.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    install, *commands = _typed("make install")
    assert install == ["make", "install"]
    _install(sandbox, BY_HAND)
    for command in commands:
        if command[0] != "make":
            sandbox.typed(command)
    assert _commit(sandbox, BY_HAND) == set()
    return sandbox


@pytest.fixture(scope="module")
def before(sandbox: Sandbox) -> dict[str, bytes]:
    """Every file, before the services of `MADE` are there."""
    return {str(path.relative_to(sandbox.root)): path.read_bytes() for path in _files(sandbox.root)}


@pytest.fixture(scope="module")
def merged(sandbox: Sandbox, before: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """The checkout with the bare service, which came from a branch."""
    other = Sandbox(tmp_path_factory.mktemp("other"))
    shutil.copytree(sandbox.root / ".git", other.root / ".git")
    _git(other, "symbolic-ref", "HEAD", "refs/heads/trunk")
    _git(other, "reset", "-q")
    [bare] = _typed(".venv/bin/tailrace new service widgets")
    said = other.typed([word.replace("widgets", BARE) for word in bare])
    assert f"services/{BARE}/migrations/0001_{BARE}.py" in said
    assert _commit(other, BARE) == set()
    _git(sandbox, "fetch", "-q", str(other.root), BARE)
    _git(sandbox, "merge", "-q", "--no-edit", "FETCH_HEAD")
    _install(sandbox, BARE)
    return sandbox


@pytest.fixture(scope="module")
def made(merged: Sandbox) -> Sandbox:
    """And with the others: the one with everything by the command, those with one option each by what the command calls."""
    [having] = _typed(".venv/bin/tailrace new service gadgets")
    said = merged.typed([*(word.replace("gadgets", FULL) for word in having[:-1]), ",".join(WITH.values())])
    assert f"services/{FULL}/migrations/0001_{FULL}.py" in said
    wanted = [f"Wanted({name!r}, having={option!r})" for name, option in WITH.items()]
    said = merged.python("-c", f"from tailrace.cli.new import *; new_services([{', '.join(wanted)}])")
    assert all(f"services/{name}/migrations/0001_{name}.py" in said for name in WITH)
    return merged


def test_two_branches_that_each_add_a_service_merge(merged: Sandbox) -> None:
    """Without a conflict: what a service promises lies in files of its own, and the rest is built."""
    merged.python("-m", "tailrace.cli", "describe", "--check")
    assert _git(merged, "status", "--porcelain") == ""


def test_lint_types_and_generated_files_are_in_order(made: Sandbox) -> None:
    made.python("-m", "ruff", "check", ".")
    made.python("-m", "ruff", "format", "--check", ".")
    made.python("-m", "tailrace.cli", "describe", "--check")
    names = (*MADE, BY_HAND)
    written = [*(f"services/{name}/src" for name in names), "contracts/src"]
    kit = ("tailrace_core", "tailrace", "tailrace_tools", "tailrace_testing", "debezium_connector_config")
    sources = [*written, *(f"libs/{library}/src" for library in kit), "tests/conformance/support"]
    tests = [f"services/{name}/tests" for name in names]
    made.python("-m", "mypy", *written, *tests, MYPYPATH=":".join(sources))


def test_imports_stay_within_their_bounds(made: Sandbox) -> None:
    made.python(
        "-c", "from importlinter.cli import lint_imports_command as run; run()", "--config", "dist/importlinter.ini"
    )


def test_its_own_tests_and_conformance_pass(made: Sandbox) -> None:
    typed = next(command[2] for command in _typed("make install") if command[:2] == ["make", "test"])
    assert typed == f"SERVICE={BY_HAND}"
    whole, alone = " or ".join((BY_HAND, BARE, FULL)), " or ".join(WITH)
    where = [f"services/{name}" for name in (*MADE, BY_HAND)]
    # What an option promises is seen where all of them are; alone, it has to be written so that it runs.
    chosen = f"{whole} or (({alone}) and not conformance)"
    said = made.python("-m", "pytest", "-q", *where, "tests/conformance", "-k", chosen)
    assert " passed" in said
    assert " skipped" not in said


def test_a_second_one_of_that_name_is_refused(made: Sandbox) -> None:
    there = sorted(_files(made.root))
    for name in (BARE, "json"):
        again = made.attempt("-m", "tailrace.cli", "new", "service", name)
        assert again.returncode == 1, name
        assert again.stderr.startswith("✗ "), again.stderr
    unknown = made.attempt("-m", "tailrace.cli", "new", "service", "spoons", "--with", "part,alarm")
    assert (unknown.returncode, "there is no option 'alarm'" in unknown.stderr) == (1, True)
    assert sorted(_files(made.root)) == there


def test_it_is_taken_back_without_a_trace(made: Sandbox, before: dict[str, bytes]) -> None:
    *undo, describe = _typed(".venv/bin/python -m pip uninstall")
    for name in MADE:
        one = singular(name)
        for command in undo:
            made.typed([word.replace("widgets", name).replace("widget.", f"{one}.") for word in command])
    made.typed(describe)
    assert {str(path.relative_to(made.root)): path.read_bytes() for path in _files(made.root)} == before


def _files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file() and not _is_cache(path.relative_to(root))]


def _is_cache(path: Path) -> bool:
    return (
        path.parts[0] == ".git" or "__pycache__" in path.parts or "_cache" in str(path) or ".hypothesis" in path.parts
    )
