"""A screen of the business as data: which reads of which services it shows together, and to which screens it leads.

The edge asks all parts of a screen at once, so a person waits for the slowest of them and not for their sum. No part needs what another answers:
each is a path and a query in which nothing but the screen's id is filled in.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

ID = "{id}"
_NAME = re.compile("[a-z][a-z0-9_]*")


@dataclass(frozen=True, slots=True)
class Part:
    """One read: `path` is that of the fleet's document, with its one parameter in braces; `query` goes with it, the id as `{id}`."""

    name: str
    path: str
    query: str = ""

    def target(self, id: str) -> tuple[str, str]:
        """Path and query for one screen."""
        return re.sub(r"\{[^}]+\}", id, self.path), self.query.replace(ID, id)


@dataclass(frozen=True, slots=True)
class Link:
    """To another screen: of the thing whose id stands in `field` of the first part; none where that is null."""

    screen: str
    field: str


@dataclass(frozen=True, slots=True)
class Screen:
    """What one screen shows. With `of_one` it is the screen of one thing: the first part is that thing, and without it there is no screen.

    Raises ValueError for a name that stands twice, and for a part of no thing that asks for an id.
    """

    name: str
    says: str
    parts: Sequence[Part]
    links: Sequence[Link] = ()
    of_one: bool = True

    def __post_init__(self) -> None:
        names = [part.name for part in self.parts]
        for name in (self.name, *names):
            if not _NAME.fullmatch(name):
                raise ValueError(f"{name} is no name of a screen or of a part")
        if len(names) != len(set(names)):
            raise ValueError(f"a part of the screen {self.name} stands twice")
        for part in self.parts:
            if not self.of_one and ("{" in part.path or ID in part.query):
                raise ValueError(f"the screen {self.name} is of no thing, and {part.name} asks for one")


def linked(screens: Iterable[Screen]) -> None:
    """Raises ValueError when two have one name, or a link leads to no screen of a thing."""
    by_name: dict[str, Screen] = {}
    for screen in screens:
        if by_name.setdefault(screen.name, screen) is not screen:
            raise ValueError(f"there are two screens called {screen.name}")
    for screen in by_name.values():
        for link in screen.links:
            if link.screen not in by_name or not by_name[link.screen].of_one:
                raise ValueError(f"the screen {screen.name} links to {link.screen}, which is no screen of a thing")
