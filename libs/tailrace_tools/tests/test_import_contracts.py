"""The order of the kit's rooms is held by its contracts: each is tried on a toy package that breaks it."""

import configparser
import os
import subprocess
import sys
from pathlib import Path

import pytest

import tailrace
from tailrace.codegen.import_contracts import import_contracts


def _section(name: str) -> configparser.SectionProxy:
    parser = configparser.ConfigParser()
    parser.read_string(import_contracts([]))
    return parser[f"importlinter:contract:{name}"]


def _rooms() -> list[str]:
    return [
        room.strip() for line in _section("rooms")["layers"].split("\n") for room in line.split("|") if room.strip()
    ]


def _linted(folder: Path, contract: str, modules: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """One contract, word for word, over a package `toykit` that has every room of the kit and the given modules besides."""
    for name, text in {**{f"{room}/__init__.py": "" for room in _rooms()}, "__init__.py": "", **modules}.items():
        path = folder / "toykit" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    section = _section(contract)
    config = configparser.ConfigParser()
    config["importlinter"] = {"root_package": "toykit"}
    config[section.name] = {name: value.replace("tailrace", "toykit") for name, value in section.items()}
    with (folder / ".importlinter").open("w") as file:
        config.write(file)
    return subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


_DOWN = {"messaging/consumer.py": "import toykit.db.outbox\n", "db/outbox.py": ""}


@pytest.mark.parametrize("contract", ["rooms", "circles"])
def test_imports_that_go_down_are_kept(tmp_path: Path, contract: str) -> None:
    done = _linted(tmp_path, contract, _DOWN)
    assert (done.returncode, "1 kept, 0 broken" in done.stdout) == (0, True), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("contract", "modules", "said"),
    [
        pytest.param(
            "rooms",
            {**_DOWN, "db/outbox.py": "import toykit.http.routing\n", "http/routing.py": ""},
            "toykit.db is not allowed to import toykit.http",
            id="upward",
        ),
        pytest.param(
            "rooms",
            {"capture/watch.py": "import toykit.rebuild\n"},
            "toykit.capture is not allowed to import toykit.rebuild",
            id="side by side",
        ),
        pytest.param("rooms", {"cellar/__init__.py": ""}, "toykit.cellar", id="a room without a place"),
        pytest.param(
            "circles",
            {"db/one.py": "import toykit.db.two\n", "db/two.py": "import toykit.db.one\n"},
            "toykit.db",
            id="a circle in a room",
        ),
    ],
)
def test_what_breaks_the_order_is_caught(tmp_path: Path, contract: str, modules: dict[str, str], said: str) -> None:
    done = _linted(tmp_path, contract, modules)
    assert done.returncode != 0, done.stdout
    assert said in done.stdout + done.stderr


def test_every_room_has_a_place_in_the_order() -> None:
    folders = [Path(entry) for entry in tailrace.__path__]
    assert len(folders) == 3
    found = {path.stem for folder in folders for path in folder.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert found - {"__pycache__"} == set(_rooms())
