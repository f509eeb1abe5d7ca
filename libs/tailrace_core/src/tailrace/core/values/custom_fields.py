"""Fields that a company adds to things: declared as data, and held to what was declared when a value enters.

A value is a text, a yes or no, or a number, which is kept and answered as a string, exactly as every other number is.
"""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import Annotated, Any, Literal, Self

from pydantic import (
    ConfigDict,
    Field,
    StringConstraints,
    TypeAdapter,
    ValidationError,
    field_validator,
    model_validator,
)

from tailrace.core.errors import FieldProblem, Invalid
from tailrace.core.values.fields import Day, Name, Text
from tailrace.core.values.money import Exact, plain_decimal
from tailrace.core.values.wire import WireModel, WrongFields, plain_number

__all__ = ["CustomField", "CustomValues", "FieldKey", "checked", "fitting"]

MOST_FIELDS = 100
"""Of one kind of thing."""
_LONGEST_TEXT, _MOST_CHOICES, _MOST_DECIMALS, _MOST_DIGITS = 500, 100, 6, 18

FieldKey = Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,39}$"), Field(examples=["heat_treatment"])]
"""What a field is known by in requests, answers and events."""

CustomValue = bool | Annotated[str, StringConstraints(max_length=_LONGEST_TEXT)] | Exact
CustomValues = Annotated[
    dict[FieldKey, CustomValue | None],
    Field(max_length=MOST_FIELDS, json_schema_extra={"additionalProperties": False}),
]
"""Values by the keys of their fields; null and left out are the same."""

FieldKind = Literal["text", "number", "yes_no", "day", "choice"]


class CustomField(WireModel):
    """A field that a company adds to a kind of thing."""

    model_config = ConfigDict(frozen=True, use_attribute_docstrings=True, extra="forbid")

    key: FieldKey
    """What the field is known by in requests, answers and events."""
    label: Name
    """What people read beside it."""
    labels: Annotated[dict[Literal["en", "ja"], Name], Field(max_length=2)] = {}
    """The same in further languages."""
    kind: FieldKind = "text"
    """What its values are."""
    required: bool = False
    """Whether a thing needs a value of it. Things that are there already need one when they are changed next."""
    choices: Annotated[list[Text], Field(max_length=_MOST_CHOICES)] = []
    """Of a choice: its values."""
    pattern: Annotated[str, StringConstraints(max_length=200)] | None = None
    """Of a text: a regular expression (of RE2's kind, without look-around or back-references) that a value matches somewhere; null for any text."""
    max_length: Annotated[int, Field(ge=1, le=_LONGEST_TEXT)] = 200
    """Of a text: its characters, at most."""
    decimals: Annotated[int, Field(ge=0, le=_MOST_DECIMALS)] = _MOST_DECIMALS
    """Of a number: digits after the point, at most."""
    minimum: Exact | None = None
    """Of a number: the least; null for any."""
    maximum: Exact | None = None
    """Of a number: the greatest; null for any."""

    @field_validator("pattern")
    @classmethod
    def _can_be_matched(cls, pattern: str | None) -> str | None:
        if pattern is not None:
            try:
                _matching(pattern)
            except Exception as error:
                raise ValueError("is no regular expression without look-around and back-references") from error
        return pattern

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.kind == "choice") != bool(self.choices):
            raise WrongFields("a choice has choices, and nothing else has", "choices")
        if len(set(self.choices)) != len(self.choices):
            raise WrongFields("a choice stands twice", "choices")
        if self.pattern is not None and self.kind != "text":
            raise WrongFields("only a text has a pattern", "pattern")
        if self.kind != "number":
            bounds = [name for name in ("minimum", "maximum") if getattr(self, name) is not None]
            if bounds:
                raise WrongFields("only a number has a minimum and a maximum", *bounds)
        if self.minimum is not None and self.maximum is not None and self.maximum < self.minimum:
            raise WrongFields("maximum is less than minimum", "maximum")
        return self

    def kept(self, value: Any) -> bool | str:
        """A value as it is kept. Raises ValueError that says what would be right."""
        kept: bool | str = _KEEPERS[self.kind](self, value)
        return kept


def checked(
    values: Mapping[str, Any], fields: Iterable[CustomField], at: str = "/custom_fields"
) -> dict[str, bool | str]:
    """The values as they are kept, those that are null left out. Raises Invalid that names each that is wrong, unknown or missing, below `at`."""
    declared = {field.key: field for field in fields}
    kept: dict[str, bool | str] = {}
    wrong: list[FieldProblem] = []
    for key, value in values.items():
        if value is None:
            continue
        if key not in declared:
            wrong.append(FieldProblem(field=f"{at}/{key}", detail="There is no such field."))
            continue
        try:
            kept[key] = declared[key].kept(value)
        except ValueError as error:
            wrong.append(FieldProblem(field=f"{at}/{key}", detail=f"Please {error}."))
    missing = [field.key for field in declared.values() if field.required and values.get(field.key) is None]
    wrong += [FieldProblem(field=f"{at}/{key}", detail="A value is needed.") for key in missing]
    if wrong:
        raise Invalid("Some custom fields are not as the template says.", errors=wrong[:50])
    return kept


def fitting(values: Mapping[str, Any], fields: Iterable[CustomField]) -> dict[str, bool | str]:
    """Those of another thing's values that are values of these fields, too, as they are kept: what is taken over from it. No field is missed."""
    kept: dict[str, bool | str] = {}
    for field in fields:
        value = values.get(field.key)
        if value is not None:
            with suppress(ValueError):
                kept[field.key] = field.kept(value)
    return kept


@lru_cache(maxsize=4096)
def _matching(pattern: str) -> TypeAdapter[str]:
    # pydantic's own expressions take time in proportion to the text, whatever the pattern.
    return TypeAdapter(Annotated[str, StringConstraints(pattern=pattern)])


def _text(field: CustomField, value: Any) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError("give a text")
    if len(value) > field.max_length:
        raise ValueError(f"give at most {field.max_length} characters")
    if field.pattern is not None:
        try:
            _matching(field.pattern).validate_python(value)
        except ValidationError:
            raise ValueError(f"give a text that matches {field.pattern}") from None
    return value


def _number(field: CustomField, value: Any) -> str:
    if isinstance(value, str):
        value = Decimal(plain_number(value))
    if isinstance(value, bool) or not isinstance(value, Decimal | int) or not Decimal(value).is_finite():
        raise ValueError("give a number")
    number = Decimal(value)
    # By its digits: arithmetic of Decimals would round what has more than 28 of them.
    text = plain_decimal(number)
    whole, _, decimals = text.lstrip("-").partition(".")
    if len(whole.lstrip("0")) + len(decimals) > _MOST_DIGITS:
        raise ValueError(f"give at most {_MOST_DIGITS} digits")
    if len(decimals) > field.decimals:
        raise ValueError(f"give at most {field.decimals} decimals")
    if field.minimum is not None and number < field.minimum:
        raise ValueError(f"give at least {field.minimum:f}")
    if field.maximum is not None and number > field.maximum:
        raise ValueError(f"give at most {field.maximum:f}")
    return text if number else "0"


def _yes_no(field: CustomField, value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError("give true or false")
    return value


def _day(field: CustomField, value: Any) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"\d{4}-\d{2}-\d{2}", value, re.ASCII):
        raise ValueError("give a day as 2026-01-31")
    try:
        day: date = _DAY.validate_python(value)
    except ValidationError:
        raise ValueError("give a day of the calendar from 1900 to 2199") from None
    return day.isoformat()


def _choice(field: CustomField, value: Any) -> str:
    if value not in field.choices:
        raise ValueError(f"give one of {', '.join(field.choices[:10])}")
    return str(value)


_DAY: TypeAdapter[date] = TypeAdapter(Day)
_KEEPERS: Mapping[FieldKind, Any] = {
    "text": _text,
    "number": _number,
    "yes_no": _yes_no,
    "day": _day,
    "choice": _choice,
}
