"""A new service, written out: small, whole, and passing conformance as it stands. What it grows into is yours.

The texts lie beside this module as they will stand in the checkout, as Mako templates: `${service}` (widgets), `${one}` (widget), `${One}` (Widget)
and `${Service}` (Widgets) stand in the places of the names, and what an option adds stands between `% if part:` and `% endif`. The migration is
none of them: it is written from the models.
"""

import keyword
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from mako.template import Template

from tailrace.core.installed import installed
from tailrace.service import Service

_USED = frozenset(
    "active add body by change cls code commands contracts count create created deadline entries entry event events find first here"
    " idle idled ids kind kinds libs listing match meta models name north opened openings page part projections reactions read remove replica retire"
    " retired router routes row second section sections self service services state tailrace taken tally text timers title tx values"
    " warehouse where write".split()
)
"""Names that the texts use themselves."""
_NAME = re.compile(r"[a-z][a-z0-9]{1,29}")
_SERVICE = "services/{service}/"
OPTIONS: Mapping[str, str] = {
    "part": "rows inside an aggregate, and rows inside those",
    "reaction": "an effect of another service's event",
    "timer": "a deadline",
    "copy": "rows that follow another service's events",
    "kind": "master data beside the aggregate, which it refers to",
}
"""What a service can have besides, each with what that is."""
_TEXTS: Mapping[str, str] = {
    "contract.py": "contracts/src/contracts/{service}.py",
    "pyproject.toml": _SERVICE + "pyproject.toml",
    "src/__init__.py": _SERVICE + "src/{service}/__init__.py",
    "src/models.py": _SERVICE + "src/{service}/models.py",
    "src/commands.py": _SERVICE + "src/{service}/commands.py",
    "src/projections.py": _SERVICE + "src/{service}/projections.py",
    "src/reactions.py": _SERVICE + "src/{service}/reactions.py",
    "src/timers.py": _SERVICE + "src/{service}/timers.py",
    "src/refusals.py": _SERVICE + "src/{service}/refusals.py",
    "src/scopes.py": _SERVICE + "src/{service}/scopes.py",
    "src/routes.py": _SERVICE + "src/{service}/routes.py",
    "src/service.py": _SERVICE + "src/{service}/service.py",
    "tests/walk.py": _SERVICE + "tests/walk.py",
    "tests/test.py": _SERVICE + "tests/test_{service}.py",
}
_ONLY_WITH: Mapping[str, str] = {"src/reactions.py": "reaction", "src/timers.py": "timer"}


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

    def fill(self, text: str, options: Collection[str] = ()) -> str:
        names = {"service": self.service, "Service": self.service.capitalize()}
        names |= {"one": self.one, "One": self.one.capitalize()}
        chosen = {option: option in options for option in OPTIONS}
        return str(Template(text, strict_undefined=True).render(**names, **chosen))


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


def options_of(given: str | None) -> frozenset[str]:
    """The options in a list with commas, `part,timer`. Raises NotMade for one that there is not."""
    options = frozenset(option.strip() for option in (given or "").split(",") if option.strip())
    if unknown := sorted(options - OPTIONS.keys()):
        raise NotMade(f"there is no option {unknown[0]!r}; there are {', '.join(OPTIONS)}")
    return options


def scaffold(names: Names, services: Sequence[Service], root: Path, options: Collection[str] = ()) -> dict[Path, str]:
    """Every file of the new service by its path below `root`, the checkout, but for its migration. Writes nothing.

    Raises NotMade when the name, the topic or a file is taken, or `root` is no checkout.
    """
    if not (root / "contracts/src/contracts").is_dir():
        raise NotMade(f"{root} is no checkout of Tailrace: contracts/src/contracts is missing")
    refuse_taken_name(names)
    _refuse_taken_offers(names, services)
    texts = files(__package__) / "service"
    made = {
        Path(place.format(service=names.service)): names.fill(texts.joinpath(f"{text}.txt").read_text(), options)
        for text, place in _TEXTS.items()
        if _ONLY_WITH.get(text) in (None, *options)
    }
    if (root / _SERVICE.format(service=names.service)).exists():
        raise NotMade(f"services/{names.service} is there already")
    for path in made:
        if (root / path).exists():
            raise NotMade(f"{path} is there already")
    return made


def refuse_taken_name(names: Names) -> None:
    """Raises NotMade; no service has to be imported for that."""
    if names.service in installed():
        raise NotMade(f"there is a service called {names.service}")
    if names.service in sys.stdlib_module_names or find_spec(names.service) is not None:
        raise NotMade(f"{names.service} is the name of a Python package that is installed here; choose another")


def _refuse_taken_offers(names: Names, services: Sequence[Service]) -> None:
    for service in services:
        if service.topic == names.topic:
            raise NotMade(f"{service.name} publishes on {names.topic} already; name one of yours with --one")
        taken = [exposed.prefix for exposed in service.exposes if exposed.prefix == f"/v1/{names.service}"]
        if taken:
            raise NotMade(f"{service.name} offers {taken[0]} already")
