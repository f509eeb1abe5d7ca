"""Converters: how Connect turns keys, values and headers into bytes."""

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from debezium_connector_config.base import Settings, Text


class StringConverter(Settings):
    """Text as it is, in the given encoding; a null stays null."""

    nested: ClassVar[frozenset[str]] = frozenset({"type"})

    type: Literal["org.apache.kafka.connect.storage.StringConverter"] = (
        "org.apache.kafka.connect.storage.StringConverter"
    )
    converter_encoding: Text = "UTF-8"
    """A Java character set. Default UTF-8."""


class JsonConverter(Settings):
    """Connect's own JSON form."""

    nested: ClassVar[frozenset[str]] = frozenset({"type"})

    type: Literal["org.apache.kafka.connect.json.JsonConverter"] = "org.apache.kafka.connect.json.JsonConverter"
    schemas_enable: bool = True
    """Wrap each value in its schema. Default true."""
    schemas_cache_size: int = Field(default=1000, gt=0)
    """Schemas kept per converter. Default 1000."""
    decimal_format: Literal["BASE64", "NUMERIC"] = "BASE64"
    """How decimals are written. Default BASE64."""
    replace_null_with_default: bool = True
    """Write a column's default where the value is null. Default true."""


class ByteArrayConverter(Settings):
    """Bytes as they are."""

    nested: ClassVar[frozenset[str]] = frozenset({"type"})

    type: Literal["org.apache.kafka.connect.converters.ByteArrayConverter"] = (
        "org.apache.kafka.connect.converters.ByteArrayConverter"
    )


class OtherConverter(Settings):
    """Any other converter class, with untyped settings."""

    nested: ClassVar[frozenset[str]] = frozenset({"type", "options"})

    type: Text
    options: dict[str, Text] = Field(default_factory=dict)

    def settings(self) -> dict[str, str]:
        return dict(self.options)


Converter = StringConverter | JsonConverter | ByteArrayConverter | OtherConverter

_KNOWN: dict[str, type[StringConverter] | type[JsonConverter] | type[ByteArrayConverter]] = {
    model.model_fields["type"].default: model for model in (StringConverter, JsonConverter, ByteArrayConverter)
}


def parse_converter(class_name: str, options: Mapping[str, str]) -> Converter:
    """The typed converter of that class, or OtherConverter; raises UnknownSettingsError for a typed one's unknown."""
    model = _KNOWN.get(class_name)
    return model.parse(options) if model else OtherConverter(type=class_name, options=dict(options))
