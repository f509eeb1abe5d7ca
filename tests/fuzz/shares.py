"""Which of the cases at the bounds a run asks, where it does not ask them all.

What operations have alike, a parameter that is declared for all or a kind of field, is read by the same code of the kit, and conformance tries each
field and parameter of each service besides. So what is wrong in that alone is asked of one operation that has it; what is good, of everybody.

Of a large operation, the later cases take turns by the seed: it has hundreds, most of them one field of many put in or left out.
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any
from zlib import crc32

_METHODS = ("get", "put", "post", "patch", "delete")
_SAID = frozenset({"title", "description", "examples", "default"})
"""What changes nothing of what is taken."""
_OTHER_METHOD = "unspecified_http_method"


_ALL_OF = 20
"""So many cases of an operation are asked each time; of the next so many every second one, of those after that every third, and so on."""


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
