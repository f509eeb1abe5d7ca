"""What was described is not described again while nothing that it is made of has changed: kept below `dist/`, and gone with it.

What counts is content, never a date: the kit's, the contracts' and the services' sources, the versions of what shapes a document, the settings.
"""

import hashlib
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

from tailrace.core.installed import installed

_KEPT = Path("dist/.describe_cache")
_CONTRACTS = Path("contracts/src/contracts")
_WHATEVER_THERE_IS = "registry"
_IMPORTED = re.compile(r"\bcontracts\.(\w+)|^\s*from contracts import (?:\(([^)]*)\)|([^\n]*))", re.MULTILINE)
_SHAPED_BY = ("fastapi", "pydantic", "pydantic-core", "starlette")


class DescribeCache:
    """Of one checkout, as it is when this is made. Raises nothing for what cannot be read: it is made again."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._folder = root / _KEPT
        settings = [f"{name}={value}" for name, value in sorted(os.environ.items()) if name.startswith("TAILRACE_")]
        versions = [sys.version, *(f"{name} {version(name)}" for name in _SHAPED_BY)]
        self._contracts = {path.stem: path for path in sorted((root / _CONTRACTS).glob("*.py"))}
        self._common = _digest(_sources(root, sorted(root.glob("libs/*/src"))), [*versions, *settings])

    def document(self, service: str) -> dict[str, Any] | None:
        """The OpenAPI document of a service, if it would be the same now."""
        kept = self._read(f"openapi-{service}")
        return kept["document"] if kept.get("of") == self._of(service) else None

    def keep_document(self, service: str, document: Mapping[str, Any]) -> None:
        self._write(f"openapi-{service}", {"of": self._of(service), "document": document})

    def is_described(self, promised: Iterable[Path]) -> bool:
        """Whether every file is what the last run wrote, of the same sources, and `promised`, what lies there now, holds no other."""
        kept = self._read("everything")
        files: dict[str, str] = kept.get("files", {})
        if kept.get("of") != self._of_all() or any(str(path) not in files for path in promised):
            return False
        return all(_hash_of(self._root / path) == digest for path, digest in files.items())

    def keep_described(self, files: Iterable[Path]) -> None:
        """Once all of them are on disk as they are to be."""
        digests = {str(path): _hash_of(self._root / path) for path in files}
        self._write("everything", {"of": self._of_all(), "files": digests})

    def _of(self, service: str) -> str:
        own = list(_sources(self._root, [self._root / "services" / service / "src"]))
        return _digest([*own, *self._heard(own)], [self._common])

    def _heard(self, own: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
        """The contracts that these sources import, and those that these do; all of them for who asks for whatever there is."""
        names = {name for _, source in own for name in _imported(source.decode())}
        if _WHATEVER_THERE_IS in names:
            names = set(self._contracts)
        seen, waiting = set[str](), sorted(names)
        while waiting:
            name = waiting.pop()
            if name in self._contracts and name not in seen:
                seen.add(name)
                waiting += _imported(self._contracts[name].read_text())
        for name in sorted(seen):
            yield f"contracts.{name}", self._contracts[name].read_bytes()

    def _of_all(self) -> str:
        folders = [self._root / _CONTRACTS, *sorted(self._root.glob("services/*/src"))]
        return _digest(_sources(self._root, folders), [self._common, *installed()])

    def _read(self, name: str) -> dict[str, Any]:
        try:
            return dict(json.loads((self._folder / f"{name}.json").read_text()))
        except (OSError, ValueError, TypeError):
            return {}

    def _write(self, name: str, value: Mapping[str, Any]) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        (self._folder / f"{name}.json").write_text(json.dumps(value))


def _imported(source: str) -> set[str]:
    """The names of the contracts that a module speaks of: rather one too many than one too few."""
    return {
        name
        for one, several, listed in _IMPORTED.findall(source)
        for name in ([one] if one else re.findall(r"\w+", several or listed))
    }


def _sources(root: Path, folders: Iterable[Path]) -> Iterator[tuple[str, bytes]]:
    for folder in folders:
        for path in sorted(folder.rglob("*.py")):
            yield str(path.relative_to(root)), path.read_bytes()


def _digest(files: Iterable[tuple[str, bytes]], more: Iterable[str]) -> str:
    digest = hashlib.sha256("\0".join(more).encode())
    for name, content in files:
        digest.update(f"\0{name}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _hash_of(path: Path) -> str | None:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError:
        return None
