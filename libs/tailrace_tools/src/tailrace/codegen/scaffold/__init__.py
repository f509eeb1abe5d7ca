"""A new service, written out: small, whole, and passing conformance as it stands. What it grows into is yours.

The texts lie beside this module as they will stand in the checkout, with `$service` (widgets), `$one` (widget), `$One` (Widget) and `$Service`
(Widgets) in the places of the names.
"""

import keyword
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from string import Template

from tailrace.service import Service

_USED = frozenset(
    "body code commands contracts count create event events libs listing match meta models name page projections read retire retired"
    " routes row self service services tailrace tally tx".split()
)
"""Names that the texts use themselves."""
_NAME = re.compile(r"[a-z][a-z0-9]{1,29}")
_SERVICE = "services/{service}/"
_TEXTS: Mapping[str, str] = {
    "contract.py": "contracts/src/contracts/{service}.py",
    "pyproject.toml": _SERVICE + "pyproject.toml",
    "migrations/0001.py": _SERVICE + "migrations/0001_{service}.py",
    "src/__init__.py": _SERVICE + "src/{service}/__init__.py",
    "src/models.py": _SERVICE + "src/{service}/models.py",
    "src/commands.py": _SERVICE + "src/{service}/commands.py",
    "src/projections.py": _SERVICE + "src/{service}/projections.py",
    "src/refusals.py": _SERVICE + "src/{service}/refusals.py",
    "src/scopes.py": _SERVICE + "src/{service}/scopes.py",
    "src/routes.py": _SERVICE + "src/{service}/routes.py",
    "src/service.py": _SERVICE + "src/{service}/service.py",
    "tests/walk.py": _SERVICE + "tests/walk.py",
    "tests/test.py": _SERVICE + "tests/test_{service}.py",
}


class NotMade(ValueError):
    """Why no service was written, and nothing was."""


@dataclass(frozen=True, slots=True)
class Names:
    """What the service is called (`widgets`), and one of what it keeps (`widget`)."""

    service: str
    one: str

    @property
    def topic(self) -> str:
        return f"{self.one}.events"

    def fill(self, text: str) -> str:
        return Template(text).substitute(
            service=self.service, Service=self.service.capitalize(), one=self.one, One=self.one.capitalize()
        )


def names_for(service: str, one: str | None = None) -> Names:
    """Raises NotMade for a name that cannot be a package, a database and a path at once."""
    names = Names(service, one or singular(service))
    for name in (names.service, names.one):
        if not _NAME.fullmatch(name) or keyword.iskeyword(name):
            raise NotMade(f"{name!r} is no name for a service: 2 to 30 lower-case letters and digits, a letter first")
        if name in _USED:
            raise NotMade(
                f"{name!r} means something else in every service; choose another, or name one of yours with --one"
            )
    return names


def singular(plural: str) -> str:
    """A guess that suits most English nouns: companies → company, widgets → widget, billing → billing."""
    if plural.endswith("ies") and len(plural) > 4:
        return plural[:-3] + "y"
    if plural.endswith(("sses", "xes", "ches", "shes")):
        return plural[:-2]
    return plural[:-1] if plural.endswith("s") and not plural.endswith("ss") and len(plural) > 2 else plural


def scaffold(names: Names, services: Sequence[Service], root: Path) -> dict[Path, str]:
    """Every file of the new service by its path below `root`, the checkout. Writes nothing.

    Raises NotMade when the name, the topic or a file is taken, or `root` is no checkout.
    """
    if not (root / "contracts/src/contracts").is_dir():
        raise NotMade(f"{root} is no checkout of Tailrace: contracts/src/contracts is missing")
    _refuse_taken(names, services)
    texts = files(__package__) / "service"
    made = {
        Path(place.format(service=names.service)): names.fill(texts.joinpath(f"{text}.txt").read_text())
        for text, place in _TEXTS.items()
    }
    if (root / _SERVICE.format(service=names.service)).exists():
        raise NotMade(f"services/{names.service} is there already")
    for path in made:
        if (root / path).exists():
            raise NotMade(f"{path} is there already")
    return made


def _refuse_taken(names: Names, services: Sequence[Service]) -> None:
    if any(service.name == names.service for service in services):
        raise NotMade(f"there is a service called {names.service}")
    if names.service in sys.stdlib_module_names or find_spec(names.service) is not None:
        raise NotMade(f"{names.service} is the name of a Python package that is installed here; choose another")
    for service in services:
        if service.topic == names.topic:
            raise NotMade(f"{service.name} publishes on {names.topic} already; name one of yours with --one")
        taken = [exposed.prefix for exposed in service.exposes if exposed.prefix == f"/v1/{names.service}"]
        if taken:
            raise NotMade(f"{service.name} offers {taken[0]} already")
