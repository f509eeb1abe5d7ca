"""What others read does not break under them: a change of a published event or API that would is refused, by name and field.

An event in one version only ever gains optional fields: the same schema is read by old readers of new events and by new readers of the old events
that topics keep. An API may also tell more and ask for less. What is committed in `contracts/` is what was promised. A service that
is not released has promised nothing yet; to break a promise of one that is, delete its file by hand, which the review will show.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tailrace.codegen.places import OPENAPI, SCHEMAS
from tailrace.codegen.schema_diff import Change, Kind, Schema, changes
from tailrace.service import Service

ADVICE = "add an optional field instead, or raise `version` and write `upcast`"
API_ADVICE = "keep what clients use and add the new beside it"

_IN_EVENTS = frozenset(Kind) - {Kind.NEW_OPTIONAL}
_ANSWER = frozenset({Kind.REMOVED, Kind.RETYPED, Kind.WIDENED})
_REQUEST = frozenset(
    {Kind.REMOVED, Kind.RETYPED, Kind.NARROWED, Kind.NEW_REQUIRED, Kind.NOW_REQUIRED, Kind.MEMBER_GONE}
)
_UNREADABLE = "is no JSON on disk: bring back what was committed"
_METHODS = ("get", "put", "post", "delete", "patch", "head", "options")


@dataclass(frozen=True, slots=True)
class Breaking:
    """`subject` is `order.created v1` or `orders: GET /v1/orders`; `why` names the field and what became of it."""

    subject: str
    why: str
    advice: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.why}; {self.advice}"


def breaking(files: Mapping[Path, str], root: Path, services: Iterable[Service] = ()) -> list[Breaking]:
    """What in the generated `files` would break what is committed below `root`: schemas of events, and the services' OpenAPI.

    Those of `services` that are not released may change freely.
    """
    found: list[Breaking] = []
    free = {each.name: each.topic for each in services if not each.released}
    for path, old, new in _committed(files, root, SCHEMAS):
        type, _, version = path.stem.rpartition(".v")
        if (old or {}).get("x-topic") not in free.values():
            found += [Breaking(f"{type} v{version}", why, ADVICE) for why in _event_faults(old, new)]
    for path, old, new in _committed(files, root, OPENAPI):
        if path.stem in free:
            continue
        faults = [("the document", _UNREADABLE)] if old is None else breaking_in_api(old, new or {})
        found += [Breaking(f"{path.stem}: {where}", why, API_ADVICE) for where, why in faults]
    return found


def _event_faults(old: Schema | None, new: Schema | None) -> list[str]:
    if old is None:
        return [_UNREADABLE]
    if new is None:
        return ["is published no more, but topics and their readers keep it"]
    return [str(change) for change in breaking_in_event(old, new)]


def breaking_in_event(old: Schema, new: Schema) -> list[Change]:
    """What readers of one version of an event would stumble over."""
    found = [change for change in changes(old, new) if change.kind in _IN_EVENTS]
    if old.get("x-topic") != new.get("x-topic"):
        found.append(Change(Kind.LIMIT, "", f"moved from {old.get('x-topic')} to {new.get('x-topic')}"))
    return found


def breaking_in_api(old: Schema, new: Schema) -> list[tuple[str, str]]:
    """What clients of an OpenAPI document would stumble over, as (method and path, why)."""
    found: list[tuple[str, str]] = []
    there = {_shape(path): item for path, item in new.get("paths", {}).items()}
    for path, item in old.get("paths", {}).items():
        for method in (method for method in _METHODS if method in item):
            where = f"{method.upper()} {path}"
            now = there.get(_shape(path), {}).get(method)
            if now is None:
                found.append((where, "is gone"))
            else:
                found += [(where, why) for why in _Operations(old, new).breaking(item[method], now)]
    return found


class _Operations:
    """Compares one operation of two documents."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new

    def breaking(self, old: Schema, new: Schema) -> Iterator[str]:
        yield from self._parameters(_parameters(old, self._old), _parameters(new, self._new))
        yield from self._body(old.get("requestBody", {}), new.get("requestBody", {}))
        for status, answer in old.get("responses", {}).items():
            if not status.startswith("2"):
                continue
            if status not in new.get("responses", {}):
                yield f"answers with {status} no more"
            else:
                yield from self._contents(answer, new["responses"][status], _ANSWER, f"the answer {status}")

    def _parameters(self, old: dict[str, Schema], new: dict[str, Schema]) -> Iterator[str]:
        for name, parameter in old.items():
            if name not in new:
                yield f"the parameter {name} is gone"
                continue
            if new[name].get("required") and not parameter.get("required"):
                yield f"the parameter {name} is required now"
            schemas = parameter.get("schema", {}), new[name].get("schema", {})
            yield from self._schemas(*schemas, _REQUEST, f"the parameter {name}")
        for name in new.keys() - old.keys():
            if new[name].get("required"):
                yield f"the parameter {name} is new and required"

    def _body(self, old: Schema, new: Schema) -> Iterator[str]:
        if new.get("required") and not old.get("required"):
            yield "a body is required now"
        if old:
            yield from self._contents(old, new, _REQUEST, "the request")

    def _contents(self, old: Schema, new: Schema, kinds: frozenset[Kind], what: str) -> Iterator[str]:
        for media, content in old.get("content", {}).items():
            if media not in new.get("content", {}):
                yield f"{what} is {media} no more"
            else:
                now = new["content"][media]
                yield from self._schemas(content.get("schema", {}), now.get("schema", {}), kinds, what)

    def _schemas(self, old: Schema, new: Schema, kinds: frozenset[Kind], what: str) -> Iterator[str]:
        for change in changes(old, new, self._old, self._new):
            if change.kind in kinds:
                yield f"{what}: {change}"


def _parameters(operation: Schema, document: Schema) -> dict[str, Schema]:
    """By name, without those of the path: what those are called, nobody sees."""
    found = [_parameter(each, document) for each in operation.get("parameters", ())]
    return {each["name"]: each for each in found if each["in"] != "path"}


def _parameter(parameter: Schema, document: Schema) -> Schema:
    """Itself, or the component that it refers to."""
    if "$ref" not in parameter:
        return parameter
    found: Schema = document["components"]["parameters"][parameter["$ref"].rpartition("/")[2]]
    return found


def _shape(path: str) -> str:
    return re.sub(r"\{\w+\}", "{}", path)


def _committed(
    files: Mapping[Path, str], root: Path, folder: Path
) -> Iterator[tuple[Path, Schema | None, Schema | None]]:
    """(path, what it says on disk, what it is to say) of each file there is; None for what cannot be read, and for what is to go."""
    for path in sorted((root / folder).glob("*.json")):
        text = files.get(path.relative_to(root))
        yield path, _read(path.read_text()), None if text is None else _read(text)


def _read(text: str) -> Schema | None:
    try:
        document: Schema = json.loads(text)
    except ValueError:
        return None
    return document
