"""What `tailrace describe` builds of the installed services: made once in a process, by the first test that looks at it and not by collecting."""

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tailrace.codegen.describe import build
from tailrace.codegen.places import BUILT
from tailrace.runtime.fleet import load_services

_ROOT = Path(__file__).parents[2]


@cache
def built() -> Mapping[Path, str]:
    """Each text by its path below `dist/`, the AsyncAPI document and what it refers to among them."""
    made = build(load_services(), _ROOT)
    return {path.relative_to(BUILT): text for path, text in made.items() if BUILT in path.parents}


@cache
def asyncapi() -> dict[str, Any]:
    """The merged document."""
    document: dict[str, Any] = json.loads(built()[Path("asyncapi.yaml")])
    return document
