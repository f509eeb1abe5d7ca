"""Which of the cases at the bounds a run asks, where it does not ask them all.

What operations have alike, a parameter that is declared for all or a kind of field, is read by the same code of the kit, and conformance tries each
field and parameter of each service besides. So what is wrong in that alone is asked of one operation that has it; what is good, of everybody.

Of a large operation, the later cases take turns by the seed: it has hundreds, most of them one field of many put in or left out.

Paths take turns too (`paths_of`): seeds that follow one another, as those of days do, come to each of them once in a round, and each round mixes them
otherwise.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from random import Random
from typing import Any
from zlib import crc32

_METHODS = ("get", "put", "post", "patch", "delete")
_SAID = frozenset({"title", "description", "examples", "default"})
"""What changes nothing of what is taken."""
_OTHER_METHOD = "unspecified_http_method"


_ALL_OF = 20
"""So many cases of an operation are asked each time; of the next so many every second one, of those after that every third, and so on."""


_OF_MANY = 20
"""Of so many paths that are asked, one takes many things at once, if there is any."""


def takes_many(path: str) -> bool:
    """Whether each of the things that a path takes is refused by itself, in an answer of 200."""
    return path.endswith("/bulk")


def paths_of(paths: Sequence[str], at_most: int, seed: int) -> list[str]:
    """Those that a run asks, at most so many: whichever it is, there are some among them that take many things."""
    many = [path for path in paths if takes_many(path)]
    these = _turn(many, max(1, at_most // _OF_MANY), seed)
    return sorted([*these, *_turn([path for path in paths if not takes_many(path)], at_most - len(these), seed)])


def _turn(paths: Sequence[str], at_most: int, seed: int) -> Sequence[str]:
    """One of as many shares as it takes."""
    shares = max(1, -(-len(paths) // at_most))
    number, turn = divmod(seed, shares)
    return Random(number).sample(sorted(paths), len(paths))[turn::shares]


class Share:
    """Says of each case of a document, as it is made, whether it is asked. Cases of an operation are made by one thread, in one order."""

    def __init__(self, document: Mapping[str, Any], seed: str) -> None:
        self._document = document
        # Days that follow one another ask other paths: those on which a path comes round are to differ in what they ask of it.
        self._turn = crc32(seed.encode())
        self._asker: dict[str, str] = {}
        self._cases: Counter[str] = Counter()
        for label, operation in _operations(document):
            for thing in self._things(operation):
                self._asker.setdefault(thing, label)

    def has(self, label: str, operation: Mapping[str, Any], varied: Any, *, good: bool) -> bool:
        """`varied` is what Schemathesis says of the case: its scenario, location and parameter."""
        if not good and self._asker.get(self._thing(operation, varied) or "", label) != label:
            return False
        number = self._cases[label]
        self._cases[label] += 1
        return (number + self._turn) % (number // _ALL_OF + 1) == 0

    def _thing(self, operation: Mapping[str, Any], varied: Any) -> str | None:
        """What a bad case is about."""
        if str(varied.scenario) == _OTHER_METHOD:
            return _OTHER_METHOD
        for parameter in operation.get("parameters", ()):
            if varied.parameter is not None and self._resolved(parameter)["name"] == varied.parameter:
                return _identity(parameter)
        if not varied.location:
            return None
        for media in operation.get("requestBody", {}).get("content", {}).values():
            try:
                return _identity(self._at(media["schema"], varied.location.split("/")[1:-1]))
            except (KeyError, IndexError, ValueError, TypeError):
                return None
        return None

    def _things(self, operation: Mapping[str, Any]) -> Iterator[str]:
        """All that cases of an operation can be about."""
        yield _OTHER_METHOD
        for parameter in operation.get("parameters", ()):
            yield _identity(parameter)
        for media in operation.get("requestBody", {}).get("content", {}).values():
            yield from self._inside(media["schema"], 0)

    def _inside(self, schema: Any, depth: int) -> Iterator[str]:
        schema = self._resolved(schema)
        yield _identity(schema)
        inner = [*schema.get("properties", {}).values(), *schema.get("anyOf", ()), *schema.get("oneOf", ())]
        for each in (*inner, schema.get("items"), schema.get("additionalProperties")):
            if isinstance(each, dict) and depth < 12:
                yield from self._inside(each, depth + 1)

    def _at(self, schema: Any, way: list[str]) -> Any:
        at = self._resolved(schema)
        for step in way:
            at = self._resolved(
                at[int(step)] if isinstance(at, list) else at[step.replace("~1", "/").replace("~0", "~")]
            )
        return at

    def _resolved(self, said: Any) -> Any:
        while isinstance(said, dict) and "$ref" in said:
            _, _, kind, name = said["$ref"].split("/")
            said = self._document["components"][kind][name]
        return said


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for path, item in document["paths"].items():
        for method in _METHODS:
            if method in item:
                yield f"{method.upper()} {path}", item[method]


def _identity(said: Any) -> str:
    """Two that are alike are written alike, but for what is said of them to people."""
    return json.dumps(_bare(said), sort_keys=True)


def _bare(said: Any) -> Any:
    if isinstance(said, dict):
        return {
            name: _bare(value) for name, value in said.items() if name not in _SAID or not isinstance(value, str | list)
        }
    return [_bare(each) for each in said] if isinstance(said, list) else said
