"""Typed settings that render to, and read back from, the flat string maps of Kafka Connect.

A setting that was stated is rendered; one that was left out is left to Kafka Connect's or Debezium's own default.
"""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, SecretStr

from debezium_connector_config.reference import Reference


def dotted(field: str) -> str:
    """The Kafka name of a Python field: `poll_interval_ms` is `poll.interval.ms`."""
    return field.replace("_", ".")


def _plain(text: str) -> str:
    # Kafka's ConfigDef trims values, so blank edges would not arrive as written.
    if not text or text != text.strip():
        raise ValueError("must not be empty, nor begin or end with white space")
    return text


def _listed(item: str) -> str:
    if "," in item:
        raise ValueError("must not contain a comma, which separates the items of a list")
    return item


def _split(value: object) -> object:
    return [item.strip() for item in value.split(",")] if isinstance(value, str) else value


Text = Annotated[str, AfterValidator(_plain)]
"""Non-empty text without white space at its ends."""

Items = Annotated[tuple[Annotated[Text, AfterValidator(_listed)], ...], BeforeValidator(_split), Field(min_length=1)]
"""A list that Kafka writes with commas; one string with commas is taken apart."""

Milliseconds = Annotated[int, Field(ge=0)]
PositiveMilliseconds = Annotated[int, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]+$")]
"""The name of a transform, predicate or topic group: it becomes one segment of a setting's name."""


class UnknownSettingsError(ValueError):
    """A configuration has settings that the model does not know; `.keys` names them, sorted."""

    def __init__(self, keys: Iterable[str], known: Iterable[str] = ()) -> None:
        self.keys = tuple(sorted(keys))
        candidates = sorted(known)
        self._known = candidates
        super().__init__("unknown settings: " + ", ".join(_hinted(key, candidates) for key in self.keys))

    def under(self, prefix: str) -> "UnknownSettingsError":
        """The same error for settings that stand under a prefix of the whole configuration."""
        return UnknownSettingsError((prefix + key for key in self.keys), (prefix + key for key in self._known))


def _hinted(key: str, known: list[str]) -> str:
    near = get_close_matches(key, known, n=1, cutoff=0.8)
    return f"{key} (did you mean {near[0]}?)" if near else key


def to_text(value: object) -> str:
    """One setting's value as Kafka Connect reads it: `true`, `25`, `a,b`, `${env:NAME}`."""
    match value:
        case bool():
            return "true" if value else "false"
        case tuple():
            return ",".join(to_text(item) for item in value)
        case SecretStr():
            return value.get_secret_value()
        case _:
            return str(value)


class Settings(BaseModel):
    """A group of flat settings; a field's alias is the setting's name."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=dotted,
        validate_by_name=True,
        validate_by_alias=True,
        use_attribute_docstrings=True,
    )

    nested: ClassVar[frozenset[str]] = frozenset()
    """Fields that are not one flat setting each; the subclass renders them itself."""

    @classmethod
    def setting_names(cls) -> dict[str, str]:
        """Field name by setting name, for every flat setting of this group."""
        return {info.alias or field: field for field, info in cls.model_fields.items() if field not in cls.nested}

    def settings(self) -> dict[str, str]:
        """The flat settings that were stated, by name, as strings."""
        stated = (
            (key, getattr(self, field)) for key, field in self.setting_names().items() if field in self.model_fields_set
        )
        return {key: to_text(value) for key, value in stated if value not in (None, ())}

    @classmethod
    def parse(cls, settings: Mapping[str, str], **nested: Any) -> Self:
        """Read flat settings back; raises UnknownSettingsError, or pydantic's ValidationError for a bad value."""
        known = cls.setting_names()
        unknown = settings.keys() - known.keys()
        if unknown:
            raise UnknownSettingsError(unknown, known)
        return cls.model_validate({**settings, **nested})


TextOrReference = Annotated[Reference | Text, Field(union_mode="left_to_right")]
SecretOrReference = Annotated[Reference | SecretStr, Field(union_mode="left_to_right")]
"""A password: a reference that the Connect worker resolves, or the literal text (hidden in `repr`, not in `render`)."""
