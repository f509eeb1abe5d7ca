"""`tailrace new`: a service, installed and described, so that the next command can be the tests; a migration, from the models.

A migration is compared with a PostgreSQL that is started for it, so that nothing else has to run.
"""

import asyncio
import shlex
import subprocess
import sys
import tempfile
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


def new_service(name: str, one: str | None, having: str | None) -> None:
    """Raises `OperatorError` when the name is taken or unfit, or there is no such option; then nothing was written."""
    from tailrace.codegen.scaffold import NotMade, names_for, options_of, scaffold
    from tailrace.runtime.fleet import load_services

    root = checkout(Path.cwd())
    try:
        files = scaffold(names_for(name, one), load_services(), root, options_of(having))
    except NotMade as refusal:
        raise OperatorError(str(refusal), "nothing was written; see: tailrace new service --help") from None
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        out.print(f"  {path}", soft_wrap=True)
    _install(root, name)
    # In processes of their own: this one was started before the package existed.
    for command in (["new", "migration", name, f"{name.capitalize()}, as they begin"], ["describe"]):
        said = _run(root, [sys.executable, "-m", "tailrace.cli", *command], f"tailrace {shlex.join(command)}")
        if command[0] == "new":
            out.print(f"  {Path(said.strip()).relative_to(root)}", soft_wrap=True)
    out.print(_NEXT.format(name=name), markup=False)


def new_migration(name: str, message: str) -> None:
    """Raises `OperatorError` when there is no such service, or its models and migrations agree."""
    from tailrace.codegen.migrations import next_migration
    from tailrace.runtime.fleet import load_services
    from tailrace.settings import Settings
    from tailrace.stack.embedded import Stack

    services = {service.name: service for service in load_services() if service.metadata is not None}
    if name not in services:
        raise OperatorError(f"no service called {name} has a database", f"there are: {', '.join(sorted(services))}")
    with tempfile.TemporaryDirectory(prefix="tailrace-migration-") as folder:
        Path(folder).chmod(0o755)
        stack = Stack(Path(folder) / "data", only="postgres").start()
        try:
            settings = Settings(postgres=stack.postgres_url, secret=stack.supervisor.credentials.secret)
            made = asyncio.run(next_migration(services[name], stack.postgres_url, settings, message))
        finally:
            stack.discard()
    if made is None:
        raise OperatorError(f"the models and migrations of {name} agree", "change the models first")
    path, text = made
    path.write_text(text)
    _tidy(Path.cwd(), str(path))
    out.print(str(path), soft_wrap=True)


def _install(root: Path, name: str) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    _run(root, [*pip, "--no-build-isolation", "-e", f"services/{name}"], "make install")
    _tidy(root, *_written(name))


def _tidy(root: Path, *paths: str) -> None:
    # The imports of what was written are in the order of its own name.
    _run(root, [sys.executable, "-m", "ruff", "check", "-q", "--fix", "--select", "I", *paths], "make format")
    _run(root, [sys.executable, "-m", "ruff", "format", "-q", *paths], "make format")


def _written(name: str) -> list[str]:
    return [f"services/{name}", f"contracts/src/contracts/{name}.py"]


def _run(root: Path, command: list[str], by_hand: str) -> str:
    """What it said."""
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OperatorError((done.stderr or done.stdout).strip()[-2000:], f"the files are there; go on with: {by_hand}")
    return done.stdout
