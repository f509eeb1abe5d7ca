"""`python -m production SERVICE …` is `python -m tailrace.runtime …` with nothing at hand but what the image of that service holds.

That is what the common lock and its own name, and the packages that the Dockerfile builds; importing anything else fails as it would in the
container.
"""

import re
import runpy
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.metadata import packages_distributions
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
_DOCKERFILE = ROOT / "deploy/docker/Dockerfile"
_LOCKS = re.compile(r"(?<!/)(locks/\S+\.lock)")
_LOCKED = re.compile(r"^([A-Za-z0-9._-]+)==", re.MULTILINE)
_PACKAGES = re.compile(r"for package in (.+?); do")


class NotInTheImage(MetaPathFinder):
    """Refuses the top-level modules that no distribution of the image provides."""

    def __init__(self, refused: frozenset[str]) -> None:
        self._refused = refused

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        if name.partition(".")[0] in self._refused:
            raise ModuleNotFoundError(f"the image has no {name}", name=name)
        return None


def restrict_to_image(service: str) -> None:
    """Leave on the path, and importable, what the image of this service has."""
    recipe = _DOCKERFILE.read_text()
    locks, packages = set(_LOCKS.findall(recipe)), _PACKAGES.search(recipe)
    assert len(locks) == 2 and packages is not None, f"{_DOCKERFILE} installs by other means now"
    built = {ROOT / each.strip('"').replace("${SERVICE}", service) / "src" for each in packages[1].split()}
    sys.path[:] = [each for each in sys.path if Path(each).name != "src" or Path(each) in built]
    files = [ROOT / lock.replace("${SERVICE}", service) for lock in locks]
    held = {_normal(name) for file in files if file.exists() for name in _LOCKED.findall(file.read_text())}
    ours = {path.parent.name for path in ROOT.glob("*/*/pyproject.toml")} | {"contracts", "tailrace"}
    refused = {
        module
        for module, providers in packages_distributions().items()
        if module not in ours and held.isdisjoint(map(_normal, providers))
    }
    sys.meta_path.insert(0, NotInTheImage(frozenset(refused)))


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    restrict_to_image(sys.argv[1])
    sys.argv[:2] = ["tailrace.runtime"]
    runpy.run_module("tailrace.runtime", run_name="__main__")
