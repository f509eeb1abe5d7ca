"""The flat layout of what is not one setting: converters, named groups and pass-through prefixes, written and read.

`write` and `read` are inverse to each other.
"""

from collections.abc import Mapping
from typing import Any

from debezium_connector_config.base import UnknownSettingsError
from debezium_connector_config.converters import Converter, parse_converter
from debezium_connector_config.delivery import TopicCreation
from debezium_connector_config.transforms import AnyTransform, Predicate, parse_transform

CONVERTERS = {
    "key_converter": "key.converter",
    "value_converter": "value.converter",
    "header_converter": "header.converter",
}
PASSED_ON = {"producer_override": "producer.override.", "driver": "driver."}
FIELDS = frozenset({*CONVERTERS, *PASSED_ON, "transforms", "predicates", "topic_creation"})


def write(fields: Mapping[str, Any]) -> dict[str, str]:
    """The flat settings of the nested fields, by the fields' names."""
    flat: dict[str, str] = {}
    for field, key in CONVERTERS.items():
        if fields[field] is not None:
            flat |= {key: fields[field].type} | _prefixed(f"{key}.", fields[field].settings())
    for kind in ("transforms", "predicates"):
        flat |= _write_group(kind, fields[kind])
    flat |= _write_topics(fields["topic_creation"])
    for field, prefix in PASSED_ON.items():
        flat |= _prefixed(prefix, fields[field])
    return flat


def read(config: Mapping[str, str]) -> tuple[dict[str, Any], dict[str, str]]:
    """The nested fields that the configuration states, and the settings that belong to none of them."""
    rest = dict(config)
    nested: dict[str, Any] = {}
    for field, key in CONVERTERS.items():
        options = _take(rest, f"{key}.")
        if key in rest:
            nested[field] = _read_converter(key, rest.pop(key), options)
        else:
            rest |= _prefixed(f"{key}.", options)  # options without a converter belong to nothing
    for kind in ("transforms", "predicates"):
        if kind in rest:
            nested[kind] = _read_group(kind, rest)
    if topics := _read_topics(rest):
        nested["topic_creation"] = topics
    for field, prefix in PASSED_ON.items():
        if options := _take(rest, prefix):
            nested[field] = options
    return nested, rest


def _prefixed(prefix: str, settings: Mapping[str, str]) -> dict[str, str]:
    return {prefix + key: value for key, value in settings.items()}


def _take(rest: dict[str, str], prefix: str) -> dict[str, str]:
    return {key.removeprefix(prefix): rest.pop(key) for key in list(rest) if key.startswith(prefix)}


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def _write_group(kind: str, parts: Mapping[str, AnyTransform] | Mapping[str, Predicate]) -> dict[str, str]:
    flat = {kind: ",".join(parts)} if parts else {}
    for name, part in parts.items():
        flat |= {f"{kind}.{name}.type": part.type} | _prefixed(f"{kind}.{name}.", part.settings())
    return flat


def _read_group(kind: str, rest: dict[str, str]) -> dict[str, AnyTransform | Predicate]:
    parts: dict[str, AnyTransform | Predicate] = {}
    for name in _names(rest.pop(kind)):
        prefix = f"{kind}.{name}."
        options = _take(rest, prefix)
        if "type" not in options:
            raise ValueError(f"{prefix}type is missing")
        class_name = options.pop("type")
        if kind == "predicates":
            parts[name] = Predicate(type=class_name, options=options)
            continue
        try:
            parts[name] = parse_transform(class_name, options)
        except UnknownSettingsError as error:
            raise error.under(prefix) from None
    return parts


def _read_converter(key: str, class_name: str, options: dict[str, str]) -> Converter:
    try:
        return parse_converter(class_name, options)
    except UnknownSettingsError as error:
        raise error.under(f"{key}.") from None


def _write_topics(groups: Mapping[str, TopicCreation]) -> dict[str, str]:
    flat: dict[str, str] = {}
    for group, topics in groups.items():
        flat |= _prefixed(f"topic.creation.{group}.", topics.settings())
    if named := [group for group in groups if group != "default"]:
        flat["topic.creation.groups"] = ",".join(named)
    return flat


def _read_topics(rest: dict[str, str]) -> dict[str, TopicCreation]:
    groups = ["default", *_names(rest.pop("topic.creation.groups", ""))]
    taken = {group: _take(rest, f"topic.creation.{group}.") for group in groups}
    return {group: TopicCreation.read(settings) for group, settings in taken.items() if settings}
