"""What differs between two JSON Schemas, field by field, as readers and writers would notice it; wording and names of models do not count."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Schema = dict[str, Any]

_UNSET = object()
_STRUCTURE = {"$ref", "$defs", "type", "anyOf", "oneOf", "enum", "const"}
_FOLLOWED = {"properties", "required", "items", "prefixItems", "additionalProperties", "default"}
_WORDING = {
    "title",
    "description",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "discriminator",
    "$id",
    "$schema",
}
_NOT_LIMITS = _STRUCTURE | _FOLLOWED | _WORDING


class Kind(StrEnum):
    """How a schema can change. Whether that breaks anything depends on who reads and who writes."""

    REMOVED = "removed"
    NEW_OPTIONAL = "new and optional"
    NEW_REQUIRED = "new and required"
    NOW_REQUIRED = "required now"
    NOW_OPTIONAL = "optional now"
    RETYPED = "of another type"
    NARROWED = "narrowed"
    WIDENED = "widened"
    MEMBER_GONE = "enum member gone"
    MEMBER_NEW = "enum member new"
    LIMIT = "other limits"
    DEFAULT = "another default"


@dataclass(frozen=True, slots=True)
class Change:
    """`field` is a path as `/lines/*/quantity`, empty for the whole."""

    kind: Kind
    field: str
    detail: str

    def __str__(self) -> str:
        return f"{self.field} {self.detail}" if self.field else self.detail


def changes(old: Schema, new: Schema, old_root: Schema | None = None, new_root: Schema | None = None) -> list[Change]:
    """Every difference. References are looked up in the roots, which are the schemas themselves unless given."""
    return list(_Comparison(old_root or old, new_root or new).of(old, new, ""))


class _Comparison:
    """One walk over two schemas; a pair of definitions is compared once, so recursive ones end."""

    def __init__(self, old: Schema, new: Schema) -> None:
        self._old = old
        self._new = new
        self._met: set[tuple[str, str]] = set()

    def of(self, old: Schema, new: Schema, at: str) -> Iterator[Change]:
        before, after = _branches(old, self._old), _branches(new, self._new)
        pairs, gone, come = _paired(before, after)
        yield from _retyped(gone, come, at)
        for one, other in pairs:
            yield from self._pair(one, other, at)

    def _pair(self, old: Schema, new: Schema, at: str) -> Iterator[Change]:
        if "$ref" in old and "$ref" in new:
            met = (old["$ref"], new["$ref"])
            if met in self._met:
                return
            self._met.add(met)
        old, new = _resolved(old, self._old), _resolved(new, self._new)
        yield from _members(old, new, at)
        yield from _limits(old, new, at)
        yield from self._properties(old, new, at)
        for key, step in (("items", "/*"), ("additionalProperties", "/{}")):
            yield from self._inner(old.get(key, True), new.get(key, True), f"{at}{step}")
        places, others = old.get("prefixItems", []), new.get("prefixItems", [])
        if len(places) != len(others):
            yield Change(Kind.RETYPED, at, f"has {len(others)} places, not {len(places)}")
        for number, (one, other) in enumerate(zip(places, others, strict=False)):
            yield from self.of(one, other, f"{at}/{number}")

    def _inner(self, old: Any, new: Any, at: str) -> Iterator[Change]:
        if isinstance(old, dict) and isinstance(new, dict):
            yield from self.of(old, new, at)
        elif old != new:
            kind = Kind.NARROWED if old is True else Kind.WIDENED if new is True else Kind.RETYPED
            yield Change(kind, at, f"takes {_shown(new)}, not {_shown(old)}")

    def _properties(self, old: Schema, new: Schema, at: str) -> Iterator[Change]:
        before, after = old.get("properties", {}), new.get("properties", {})
        was, is_ = set(old.get("required", ())), set(new.get("required", ()))
        for name, schema in before.items():
            here = f"{at}/{name}"
            if name not in after:
                yield Change(Kind.REMOVED, here, "was removed or renamed")
                continue
            if name in is_ - was:
                yield Change(Kind.NOW_REQUIRED, here, "was optional and is required now")
            elif name in was - is_:
                yield Change(Kind.NOW_OPTIONAL, here, "was required and may be missing now")
            elif name not in was and schema.get("default") != after[name].get("default"):
                yield Change(Kind.DEFAULT, here, "has another default, so that what lacks it reads differently")
            yield from self.of(schema, after[name], here)
        for name in after.keys() - before.keys():
            kind = Kind.NEW_REQUIRED if name in is_ else Kind.NEW_OPTIONAL
            yield Change(kind, f"{at}/{name}", f"is {kind.value}")


def _resolved(schema: Schema, root: Schema) -> Schema:
    """The schema that a reference stands for, with what is said beside it."""
    while "$ref" in schema:
        node: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            node = node[part]
        schema = {**node, **{key: value for key, value in schema.items() if key != "$ref"}}
    return schema


def _branches(schema: Schema, root: Schema) -> list[Schema]:
    """The alternatives that a schema allows: its own single one when it is no union."""
    for key in ("anyOf", "oneOf"):
        if key in schema:
            return [branch for each in schema[key] for branch in _branches(each, root)]
    target = _resolved(schema, root) if "$ref" in schema else schema
    if "anyOf" in target or "oneOf" in target:
        return _branches(target, root)
    types = schema.get("type")
    return [{**schema, "type": each} for each in types] if isinstance(types, list) else [_typed(schema, target)]


def _typed(schema: Schema, target: Schema) -> Schema:
    return {**schema, "type": target["type"]} if "type" in target else schema


def _paired(old: list[Schema], new: list[Schema]) -> tuple[list[tuple[Schema, Schema]], list[Schema], list[Schema]]:
    """Alternatives that belong together: the same ones first, then those of one name, then those of one type."""
    pairs: list[tuple[Schema, Schema]] = []
    old, new = list(old), list(new)
    for key in (lambda s: s, lambda s: s.get("$ref", _UNSET), _type):
        for one in list(old):
            other = next((each for each in new if key(each) == key(one) is not _UNSET), None)
            if other is not None:
                pairs.append((one, other))
                old.remove(one)
                new.remove(other)
    return pairs, old, new


def _type(schema: Schema) -> Any:
    """Its type; that of its members when only they are given."""
    if "type" in schema:
        return schema["type"]
    members = _values(schema)
    return "string" if members and all(isinstance(member, str) for member in members) else None


def _retyped(gone: list[Schema], come: list[Schema], at: str) -> Iterator[Change]:
    if gone and come:
        yield Change(Kind.RETYPED, at, f"is {_names(come)} and no more {_names(gone)}")
    elif gone:
        yield Change(Kind.NARROWED, at, f"is {_names(gone)} no more")
    elif come:
        yield Change(Kind.WIDENED, at, f"may be {_names(come)} now")


def _names(schemas: list[Schema]) -> str:
    return ", ".join(str(_type(s) or "anything") for s in schemas)


def _values(schema: Schema) -> list[Any] | None:
    """The values that an enum or a constant allows; None when it is neither."""
    if "const" in schema:
        return [schema["const"]]
    values = schema.get("enum")
    return values if isinstance(values, list) else None


def _members(old: Schema, new: Schema, at: str) -> Iterator[Change]:
    before, after = _values(old), _values(new)
    if before is None and after is None:
        return
    if before is None or after is None:
        kind, what = (Kind.NARROWED, "nothing but") if before is None else (Kind.WIDENED, "more than")
        yield Change(kind, at, f"takes {what} {_listed(after or before or [])} now")
        return
    gone, come = [m for m in before if m not in after], [m for m in after if m not in before]
    if gone:
        yield Change(Kind.MEMBER_GONE, at, f"takes {_listed(gone)} no more")
    if come:
        yield Change(Kind.MEMBER_NEW, at, f"takes {_listed(come)} as well, which its readers do not know")


def _limits(old: Schema, new: Schema, at: str) -> Iterator[Change]:
    keys = {key for key in old.keys() | new.keys() if key not in _NOT_LIMITS and not key.startswith("x-")}
    for key in sorted(keys):
        before, after = old.get(key, _UNSET), new.get(key, _UNSET)
        if before != after:
            yield Change(Kind.LIMIT, at, f"has {key} {_shown(after)}, not {_shown(before)}")


def _listed(values: list[Any]) -> str:
    return ", ".join(map(repr, values))


def _shown(value: Any) -> str:
    if value is _UNSET:
        return "unset"
    return {True: "anything", False: "nothing"}.get(value, str(value)) if isinstance(value, bool) else str(value)
