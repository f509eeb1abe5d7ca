"""`tailrace new`: a service, installed and described, so that the next command can be the tests; a migration, from the models.

A migration is compared with a PostgreSQL that is started for it, so that nothing else has to run.
"""

import asyncio
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tailrace.cli.console import out
from tailrace.cli.described import checkout, describe_fleet
from tailrace.core.operator_error import OperatorError

_NEXT = """
Next:
  make check
  make test SERVICE={name}
  make down up          it starts with the others, at /v1/{name}
"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A service to be made: its name, what one of its things is called (guessed when None), and its options with commas between."""

    name: str
    one: str | None = None
    having: str | None = None


def new_service(name: str, one: str | None, having: str | None) -> None:
    """Raises `OperatorError` when the name is taken or unfit, or there is no such option; then nothing was written."""
    new_services([Wanted(name, one, having)])
    out.print(_NEXT.format(name=name), markup=False)


def new_services(wanted: Sequence[Wanted]) -> None:
    """The same for several at once, which costs little more than one. Their names and topics differ from each other."""
    from tailrace.codegen.scaffold import NotMade, names_for, options_of, refuse_taken_name, scaffold
    from tailrace.runtime.fleet import load_services

    root = checkout(Path.cwd())
    files: dict[Path, str] = {}
    try:
        chosen = [(names_for(each.name, each.one), options_of(each.having)) for each in wanted]
        # What names alone say comes first: importing every service takes seconds.
        for names, _ in chosen:
            refuse_taken_name(names)
        services = load_services()
        for names, options in chosen:
            files |= scaffold(names, services, root, options)
    except NotMade as refusal:
        raise OperatorError(str(refusal), "nothing was written; see: tailrace new service --help") from None
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text)
        out.print(f"  {path}", soft_wrap=True)
    made = [each.name for each in wanted]
    _install(root, made)
    # In a process of its own: this one was started before the packages existed.
    said = _run(root, [sys.executable, "-m", "tailrace.cli.new", *made], "tailrace new migration …, tailrace describe")
    out.print(said.rstrip(), soft_wrap=True, markup=False)


def _complete(names: Sequence[str]) -> int:
    """Write the first migration of each, and what follows from all manifests; the exit code."""
    begun = {name: f"{name.capitalize()}, as they begin" for name in names}
    for path in _write_migrations(begun):
        out.print(f"  {path.relative_to(Path.cwd())}", soft_wrap=True)
    return describe_fleet(check=False, build=False)


def new_migration(name: str, message: str) -> None:
    """Raises `OperatorError` when there is no such service, or its models and migrations agree."""
    (path,) = _write_migrations({name: message})
    out.print(str(path), soft_wrap=True)


def _write_migrations(messages: Mapping[str, str]) -> list[Path]:
    """The next migration of each of these services, by its message. Raises `OperatorError` as `new_migration` does."""
    from tailrace.codegen.migrations import next_migration
    from tailrace.runtime.fleet import load_services
    from tailrace.settings import Settings
    from tailrace.stack.embedded import Stack

    services = {service.name: service for service in load_services(tuple(messages)) if service.metadata is not None}
    for name in messages.keys() - services.keys():
        there = [service.name for service in load_services() if service.metadata is not None]
        raise OperatorError(f"no service called {name} has a database", f"there are: {', '.join(there)}")
    paths = []
    with tempfile.TemporaryDirectory(prefix="tailrace-migration-") as folder:
        Path(folder).chmod(0o755)
        stack = Stack(Path(folder) / "data", only="postgres", durable=False).start()
        try:
            settings = Settings(postgres=stack.postgres_url, secret=stack.supervisor.credentials.secret)
            for name, message in messages.items():
                made = asyncio.run(next_migration(services[name], stack.postgres_url, settings, message))
                if made is None:
                    raise OperatorError(f"the models and migrations of {name} agree", "change the models first")
                path, text = made
                path.write_text(text)
                paths.append(path)
        finally:
            stack.discard()
    _tidy(Path.cwd(), *map(str, paths))
    return paths


def _install(root: Path, names: Sequence[str]) -> None:
    pip = [sys.executable, "-m", "pip", "install", "-q", "--disable-pip-version-check", "--no-deps"]
    packages = [word for name in names for word in ("-e", f"services/{name}")]
    _run(root, [*pip, "--no-build-isolation", *packages], "make install")
    _tidy(root, *(path for name in names for path in _written(name)))


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


if __name__ == "__main__":
    try:
        sys.exit(_complete(sys.argv[1:]))
    except OperatorError as error:
        sys.exit(f"{error.what}: {error.remedy}")
