"""Lists whose entries are known by a field, and not by their place: which one of those that are there an entry of a file is."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

from tailrace.core.values.text import folded, plain

MOST = 1000
"""Entries of a list that are looked for: what has more is refused by its body."""


class SeveralAreCalledSo(ValueError):
    """More are there under a name than are said, so that nobody knows which one is meant. `at` is the place of the entry that is said."""

    def __init__(self, at: int, name: str) -> None:
        super().__init__(f"Several are called {name!r}: say all of them.")
        self.at = at


def paired(there: Sequence[str], said: Sequence[str]) -> list[int | None]:
    """For each name that is said, the place of that which is there: of the one spelled so, or else of one that is the same name; each is taken once.

    Raises SeveralAreCalledSo.
    """
    found: list[int | None] = [None] * len(said)
    left = dict(enumerate(map(plain, there)))
    for spelled in (plain, lambda name: folded(plain(name))):
        places: dict[str, list[int]] = {}
        for place, name in left.items():
            places.setdefault(spelled(name), []).append(place)
        asked = Counter(spelled(name) for at, name in enumerate(said) if found[at] is None)
        for at, name in enumerate(said):
            if found[at] is None and name.strip() and (here := places.get(spelled(name))):
                if len(here) > asked[spelled(name)]:
                    raise SeveralAreCalledSo(at, name)
                found[at] = place = here.pop(0)
                asked[spelled(name)] -= 1
                del left[place]
    return found


def lined_up(present: Sequence[Any], said: Sequence[Any], known_by: str) -> list[Any]:
    """What is there of each that is said, in the same place, and None of one that is not there; the others behind them. Raises SeveralAreCalledSo."""
    if len(said) > MOST:
        return []
    names = [str(each.get(known_by) or "") if isinstance(each, dict) else "" for each in said]
    places = paired([str(each[known_by]) for each in present], names)
    others = [each for place, each in enumerate(present) if place not in places]
    return [*(None if place is None else present[place] for place in places), *others]
