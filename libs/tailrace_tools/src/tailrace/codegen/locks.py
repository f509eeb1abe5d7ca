"""What a service's image holds besides what every image holds: `locks/services/NAME.lock`, for a service that needs more than the common lock names.

What a service needs is what its `pyproject.toml` says, and those of the libraries it names, with their extras: `tailrace[documents]`. Run by its path
and with the standard library alone, since `make lock` must work where nothing is installed.
"""

import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

COMMON = Path("locks/requirements-runtime.lock")
_ALL = Path("locks/requirements.lock")
_REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+)\s*(?:\[([^\]]*)\])?")
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_OPTIONS = "--universal --python-version 3.11 --generate-hashes --no-annotate --no-emit-index-url --no-header -q"


def extras(root: Path, service: str) -> list[str]:
    """The requirements of this service, and of the libraries it stands on, that the common lock does not name; sorted."""
    common = locked(root / COMMON)
    wanted = _needs(f"tailrace-{service}", "", _ours(root), set())
    return sorted({each for each in wanted if _name(each) not in common})


def locked(lock: Path) -> set[str]:
    """The names of the packages in a lock; none when there is no such file."""
    return {_name(each) for each in _LOCKED.findall(lock.read_text())} if lock.exists() else set()


def lock_of(service: str) -> Path:
    """Where the lock of this service is, when it needs one."""
    return Path("locks/services") / f"{service}.lock"


def head(service: str, wanted: list[str]) -> str:
    """The first line of a lock, from which is seen whether it is still of what the service needs."""
    return f"# In the image of {service} alone: {', '.join(wanted)}\n"


def write(root: Path, service: str, *, upgrade: bool) -> None:
    """Lock what the service needs besides, or remove its lock when that is nothing. Needs uv; versions are the workspace's."""
    path, wanted = root / lock_of(service), extras(root, service)
    if not wanted:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(exist_ok=True)
    constraints = ["-c", str(COMMON.name), "-c", str(_ALL.name)]
    command = ["uv", "pip", "compile", *_OPTIONS.split(), *(["--upgrade"] if upgrade else []), *constraints, "-"]
    done = subprocess.run(
        command, cwd=root / "locks", input="\n".join(wanted), stdout=subprocess.PIPE, text=True, check=True
    )
    path.write_text(head(service, wanted) + done.stdout)


def _needs(project: str, extra: str, ours: Mapping[str, Any], seen: set[tuple[str, str]]) -> Iterator[str]:
    """What a project of the workspace requires of others, through whatever projects of the workspace it stands on."""
    if (project, extra) in seen:
        return
    seen.add((project, extra))
    table = ours[project]
    for requirement in table["optional-dependencies"][extra] if extra else table.get("dependencies", ()):
        met = _REQUIREMENT.match(requirement)
        assert met is not None
        if (name := _name(met[1])) not in ours:
            yield requirement
            continue
        yield from _needs(name, "", ours, seen)
        for each in filter(None, re.split(r"\s*,\s*", met[2] or "")):
            yield from _needs(name, each, ours, seen)


def _ours(root: Path) -> dict[str, Any]:
    """The `project` table of each project of the workspace, by its name."""
    files = [
        root / "contracts/pyproject.toml",
        *root.glob("libs/*/pyproject.toml"),
        *root.glob("services/*/pyproject.toml"),
    ]
    tables = [tomllib.loads(file.read_text())["project"] for file in files if file.exists()]
    return {_name(table["name"]): table for table in tables}


def _name(requirement: str) -> str:
    met = _REQUIREMENT.match(requirement)
    assert met is not None
    return re.sub(r"[-_.]+", "-", met[1]).lower()


def _main() -> None:
    root = Path(__file__).parents[5]
    services = sorted(each.parent.name for each in root.glob("services/*/pyproject.toml"))
    for lock in root.glob("locks/services/*.lock"):
        if lock.stem not in services:
            lock.unlink()
    for service in services:
        write(root, service, upgrade="--upgrade" in sys.argv)


if __name__ == "__main__":
    _main()
