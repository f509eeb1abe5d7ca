"""`tailrace new service`: writes it, installs it, and writes what follows from its manifest, so that the next command can be the tests."""

import subprocess
import sys
from pathlib import Path

from tailrace.cli.console import out
from tailrace.cli.described import checkout
from tailrace.core.operator_error import OperatorError

_NEXT = """
Next:
  make check
  make test ARGS="services/{name} tests/conformance -k {name}"
  make down up          it starts with the others, at /v1/{name}
"""


def new_service(name: str, one: str | None) -> None:
    """Raises `OperatorError` when the name is taken or unfit, and then nothing was written."""
    from tailrace.codegen.scaffold import NotMade, names_for, scaffold
    from tailrace.runtime.fleet import load_services

    root = checkout(Path.cwd())
    try:
        files = scaffold(names_for(name, one), load_services(), root)
    except NotMade as refusal:
        raise OperatorError(str(refusal), "nothing was written; see: tailrace new service --help") from None
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        out.print(f"  {path}", soft_wrap=True)
    _install(root, name)
    # In a process of its own: this one was started before the package existed.
    _run(root, [sys.executable, "-m", "tailrace.cli", "describe"], "tailrace describe")
    out.print(_NEXT.format(name=name), markup=False)


def _install(root: Path, name: str) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    _run(root, [*pip, "--no-build-isolation", "-e", f"services/{name}"], "make install")
    # The imports of what was written are in the order of its own name.
    _run(root, [sys.executable, "-m", "ruff", "check", "-q", "--fix", "--select", "I", *_written(name)], "make format")
    _run(root, [sys.executable, "-m", "ruff", "format", "-q", *_written(name)], "make format")


def _written(name: str) -> list[str]:
    return [f"services/{name}", f"contracts/src/contracts/{name}.py"]


def _run(root: Path, command: list[str], by_hand: str) -> None:
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperatorError((done.stderr or done.stdout).strip()[-2000:], f"the files are there; go on with: {by_hand}")
