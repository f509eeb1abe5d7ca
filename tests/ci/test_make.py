"""`make check` runs all its tools, also when one fails; `.ci/run` is green only when everything is."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOOLS = ("ruff", "python", "mypy", "lint-imports", "tailrace")


def _executable(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


@pytest.mark.parametrize("failing", [None, *TOOLS])
def test_check_runs_every_tool_and_is_red_when_one_is(failing: str | None, tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    for tool in TOOLS:
        said = f'echo "$(basename $0) $1" >> {tmp_path}/ran'
        _executable(tmp_path / "bin" / tool, f"{said}\nexit {int(tool == failing)}")
    done = subprocess.run(
        ["make", "-o", "installed", "check", f"BIN={tmp_path}/bin", "INSTALLED=installed"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    ran = [line.split()[0] for line in (tmp_path / "ran").read_text().splitlines()]
    assert sorted(ran) == sorted([*TOOLS, "ruff"]), done.stderr
    assert (done.returncode != 0) == (failing is not None)


@pytest.mark.parametrize("failing", [None, "containers", "check", "test"])
def test_ci_is_red_when_anything_is(failing: str | None, tmp_path: Path) -> None:
    _executable(tmp_path / ".ci/run", (ROOT / ".ci/run").read_text().partition("\n")[2])
    _executable(tmp_path / "bin/make", f'case " $* " in *" {failing} "*) exit 1;; *" test "*) echo "1 passed";; esac')
    environment = {**os.environ, "PATH": f"{tmp_path}/bin:{os.environ['PATH']}"}
    done = subprocess.run(
        ["bash", str(tmp_path / ".ci/run")], env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode != 0) == (failing is not None)
    assert failing == "test" or done.stdout.splitlines()[-1] == "1 passed"
