"""What every service promised, read from the files that its manifest was written to: a reader imports no service.

`tailrace describe` writes one file for each service, and this package carries them: to the gateway, which forwards by them, and to
identity, which grants by them.
"""

import json
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from tailrace.core.manifest import Manifest


@cache
def manifests(folder: Path | None = None) -> tuple[Manifest, ...]:
    """Of every service, by name; from `folder/manifests` in the place of this package's. Raises ValueError for a malformed one."""
    return tuple(Manifest.model_validate_json(text) for _, text in _read("manifests", folder))


def openapi(folder: Path | None = None) -> dict[str, dict[str, Any]]:
    """The OpenAPI document of every service that has one, by its name."""
    return {name: json.loads(text) for name, text in _read("openapi", folder)}


def _read(kind: str, folder: Path | None) -> list[tuple[str, str]]:
    place: Traversable = (folder or files(__package__)).joinpath(kind)
    if not place.is_dir():
        return []
    found = sorted(place.iterdir(), key=lambda each: each.name)
    return [(each.name.removesuffix(".json"), each.read_text()) for each in found if each.name.endswith(".json")]
