"""All that a reader of the events needs, in one document: the JSON Schema of every event in every version, and samples of each.

A wheel of the contracts carries the files; a checkout has them beside the package.
"""

import json
from collections.abc import Iterator
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

_PACKAGE = Path(str(files(__package__)))


@cache
def bundle() -> bytes:
    """UTF-8 JSON: `version` of the package `tailrace-contracts`; `schemas` by `<type>.v<version>`; `samples` by type and `v<version>-<number>`.

    The same contracts give the same bytes.
    """
    samples: dict[str, dict[str, Any]] = {}
    for path, sample in _documents("samples", "*/*.json"):
        samples.setdefault(path.parent.name, {})[path.stem] = sample
    schemas = {path.stem: schema for path, schema in _documents("schemas", "*.json")}
    told = {"version": version("tailrace-contracts"), "schemas": schemas, "samples": samples}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()


def _documents(kind: str, pattern: str) -> Iterator[tuple[Path, Any]]:
    """Raises FileNotFoundError for a package that was built without them."""
    folder = next((each for each in (_PACKAGE / kind, _PACKAGE.parents[1] / kind) if each.is_dir()), None)
    if folder is None:
        raise FileNotFoundError(f"the contracts carry no {kind}")
    for path in sorted(folder.glob(pattern)):
        yield path, json.loads(path.read_text())
