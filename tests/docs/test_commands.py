"""What the pages tell readers to type is run as it stands there, on the fleet of the test run, and must print what they show.

Every shell block is run here, or a comment above it, which readers do not see, says why not or where else:

    <!-- not run: … -->      why it cannot be run on the fleet of a test run
    <!-- run by: … -->       the test that runs it
    <!-- run until: … -->    it goes on for ever: interrupted as soon as this was printed
    <!-- example: … -->      above what a block prints: why that differs from run to run

Only addresses and folders are put in: the fleet of a test run has its own. What comes a moment later is asked for again, as the pages say.
"""

import json
import os
import re
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from pages import ROOT, Block, blocks, files_of
from shell import Shell

from tailrace.core.addresses.kafka import brokers_of
from tailrace.stack.embedded import Stack

# Pages that are read one after the other in one terminal.
SITTINGS = (
    ("docs/tutorial.md", "docs/how-to/frontend-developer.md", "docs/how-to/partner.md", "docs/how-to/observe.md"),
    ("docs/how-to/operator.md", "docs/how-to/back-up-and-restore.md"),
)
RUN_HERE = {page for sitting in SITTINGS for page in sitting}
AGAIN_FOR = 120.0
# These pages' Python is run by tests/docs/test_anatomy.py.
RUN_AS_MODULES = ("docs/explanation/anatomy.md",)
_COMMAND = re.compile(r"^(?:[A-Z_]+=\S+ )*(?:\.venv/|make |tailrace |curl |docker |kubectl |helm |pip |python3? )")
_ANY = re.compile(
    r"…"
    r"|[0-9a-f]{8}-[0-9a-f-]*[0-9a-f]"  # ids
    r"|\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.\d]*Z?"
    r"|eyJ[\w-]*"
)


def pages() -> list[str]:
    paths = [*ROOT.glob("docs/**/*.md"), *ROOT.glob("libs/*/README.md"), ROOT / "README.md", ROOT / "CONTRIBUTING.md"]
    return sorted(str(path.relative_to(ROOT)) for path in paths)


@pytest.mark.parametrize("page", pages())
def test_every_command_is_run_or_says_why_not(page: str) -> None:
    for block in blocks(page):
        assert block.language, f"{block} does not say what language it is in"
        kind, _, reason = (block.remark or "").partition(": ")
        if block.language == "sh":
            assert kind in {"not run", "run by"} or page in RUN_HERE, f"{block} is run nowhere and does not say why"
            assert kind != "run by" or (ROOT / reason).is_file(), f"{block} names {reason}, which is not there"
        elif block.language == "python":
            assert block.file or block.remark or page in RUN_AS_MODULES, f"{block} is run nowhere and does not say why"
        elif page != "docs/reference/commands.md":
            assert not _COMMAND.match(block.text), f"{block} is a command, and its language is {block.language}"
        assert block.remark is None or reason, f"{block} has a remark without a reason"


@pytest.fixture
def addresses(fleet: Stack) -> dict[str, str]:
    """What is put in for the addresses that stand on the pages."""
    return {"http://127.0.0.1:8000": fleet.gateway_url, "127.0.0.1:8101": brokers_of(fleet.kafka)}


@pytest.fixture
def terminal(fleet: Stack, tmp_path: Path) -> Iterator[Shell]:
    """A shell in a folder that looks like the checkout's, with the fleet of the test run for its data."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".tailrace").symlink_to(fleet.plan.layout.data)
    kept = ("TAILRACE_CACHE", "TAILRACE_MAVEN_MIRROR")
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("TAILRACE_") or name in kept
    }
    environment |= {"TAILRACE_DATA": str(fleet.plan.layout.data), "COLUMNS": "200", "NO_COLOR": "1"}
    missing = [name for name in ("bash", "curl", "stdbuf") if shutil.which(name) is None]
    # The README asks for no curl, so `make test` must pass without it; whoever runs all of it, as CI does, has to have it.
    if missing and not os.environ.get("CI"):
        pytest.skip(f"the pages use {', '.join(missing)}, which the suite does not install")
    assert not missing, f"the pages use {', '.join(missing)}"
    with Shell(tmp_path, environment) as shell:
        yield shell


@pytest.mark.embedded("shows what the embedded stack prints")
@pytest.mark.parametrize("sitting", SITTINGS, ids=lambda sitting: Path(sitting[0]).stem)
def test_commands_print_what_the_page_shows(
    sitting: Sequence[str], terminal: Shell, addresses: dict[str, str], tmp_path: Path
) -> None:
    for page in sitting:
        for name, text in files_of(page).items():
            (tmp_path / name).write_text(_put_in(text, addresses))
        for block, shown in _with_what_follows(page):
            kind, _, reason = (block.remark or "").partition(": ")
            if kind not in {"not run", "run by"}:
                until = reason if kind == "run until" else None
                _run(_put_in(block.text, addresses), block, shown, terminal, until)


def _with_what_follows(page: str) -> Iterator[tuple[Block, Block | None]]:
    """Each shell block, with the block of its output when one stands right below."""
    for block, following in pairwise([*blocks(page), None]):
        if block is not None and block.language == "sh":
            follows = following is not None and following.language in ("text", "json") and following.follows(block)
            yield block, following if follows else None


def _run(commands: str, block: Block, shown: Block | None, terminal: Shell, until: str | None) -> None:
    began = time.monotonic()
    while True:
        status, said = terminal.run(commands, until=until)
        missing = None if shown is None or shown.remark else _missing(shown, said)
        if status == 0 and missing is None:
            print(f"{block}: {time.monotonic() - began:.1f} s")
            return
        if time.monotonic() > began + AGAIN_FOR:
            what = f"ended with {status}" if status else f"does not print {missing}"
            raise AssertionError(f"{block} {what}; it printed:\n{said}")
        time.sleep(0.1)


def _put_in(text: str, addresses: dict[str, str]) -> str:
    for shown, real in addresses.items():
        text = text.replace(shown, real)
    return text


def _missing(shown: Block, said: str) -> str | None:
    """A line or member that the page shows and that was not printed; None when all were. `…`, ids and times stand for anything."""
    if shown.language == "json":
        return _missing_member(json.loads(shown.text), _parsed(said), "")
    printed = [line.rstrip() for line in said.splitlines()]
    # What begins with a space goes on with the line above, which the page has broken.
    lines = re.sub(r"\n +", "", shown.text).splitlines()
    for line in (line.rstrip() for line in lines if line.strip()):
        if (found := next((each for each in printed if _is_like(line, each)), None)) is None:
            return repr(line)
        printed.remove(found)
    return None


def _is_like(shown: str, said: str) -> bool:
    return (
        re.fullmatch("".join(".*" if piece is None else re.escape(piece) for piece in _pieces(shown)), said) is not None
    )


def _pieces(text: str) -> Iterator[str | None]:
    """The text, with None for each place where anything may stand."""
    end = 0
    for found in _ANY.finditer(text):
        yield text[end : found.start()]
        yield None
        end = found.end()
    yield text[end:]


def _parsed(said: str) -> Any:
    try:
        return json.loads(said)
    except ValueError:
        return None


def _missing_member(shown: Any, said: Any, at: str) -> str | None:
    if isinstance(shown, dict) and isinstance(said, dict):
        members = ((name, value) for name, value in shown.items() if name != "…")
        found = (_missing_member(value, said.get(name), f"{at}/{name}") for name, value in members)
        return next((missing for missing in found if missing), None)
    if isinstance(shown, list) and isinstance(said, list) and len(shown) == len(said):
        found = (_missing_member(*pair, f"{at}/{place}") for place, pair in enumerate(zip(shown, said, strict=True)))
        return next((missing for missing in found if missing), None)
    if isinstance(shown, str) and isinstance(said, str):
        return None if _is_like(shown, said) else f"{at} {shown!r} but {said!r}"
    return None if shown == said else f"{at} {shown!r} but {said!r}"


def test_the_example_of_the_connector_library_runs() -> None:
    [block] = blocks("libs/debezium_connector_config/README.md", "python")
    names: dict[str, Any] = {}
    exec(compile(block.text, str(block), "exec"), names)
    assert names["connector"].render()["database.password"] == "${env:ORDERS_CAPTURE_PASSWORD}"
