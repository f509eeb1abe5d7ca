"""The fields that bodies and filters are made of, each with one set of bounds; amounts, prices and quantities are in `money`.

Texts are kept in one spelling and hold nothing that is not seen (`text`). Moments and days lie in a range that every calendar in use can hold.
"""

from datetime import UTC, date, datetime
from typing import Annotated

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BeforeValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    SecretStr,
    StringConstraints,
    TypeAdapter,
    ValidationError,
)
from pydantic_core import to_jsonable_python

from tailrace.core.values.mailboxes import mailbox
from tailrace.core.values.meaning import Means
from tailrace.core.values.text import block, code, file, line, opaque, searched, xml
from tailrace.core.values.wire import TextRule, as_written

_LINE, _BLOCK, _CODE = (BeforeValidator(TextRule(rule)) for rule in (line, block, code))

Text = Annotated[str, StringConstraints(min_length=1, max_length=200), _LINE, Means("A line of text.")]
"""A line: a number, a reference, a word."""

Name = Annotated[str, StringConstraints(min_length=1, max_length=200), _LINE, Means("What people call it.")]
"""What people call something or somebody."""

Code = Annotated[
    str, StringConstraints(min_length=1, max_length=64), _CODE, Means("What it is known by among its kind.")
]
"""What something is known by among its kind. Two are the same when `text.folded` makes the same of them."""

UnitCode = Annotated[
    str,
    StringConstraints(min_length=1, max_length=16),
    _CODE,
    Means("The code of a unit of measure, such as `pcs`."),
]
"""The code of a unit of measure, whose case counts: `mm` and `Mm` are two."""

Search = Annotated[
    str,
    StringConstraints(min_length=1, max_length=200),
    BeforeValidator(TextRule(searched)),
    Means("What is looked for, or a part of it."),
]
"""What is looked for in names."""

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=500), _LINE, Means("A sentence or two.")]
"""A sentence or two: why, or what for."""

Note = Annotated[str, StringConstraints(max_length=2000), _BLOCK, Means("Whatever there is to say.")]
"""Whatever there is to say, in one line or several, or nothing."""

FileText = Annotated[str, BeforeValidator(TextRule(file)), Means("The text of a file.")]
"""The text of a file of lines."""

XmlText = Annotated[str, BeforeValidator(TextRule(xml)), Means("The text of a file.")]
"""The text of an XML file."""

Password = Annotated[
    SecretStr,
    Field(max_length=128),
    BeforeValidator(TextRule(opaque)),
    Means("In clear; sent over TLS, and kept nowhere."),
]
"""A password, the same however it was typed (RFC 8265)."""

Country = Annotated[
    str, StringConstraints(pattern="^[A-Z]{2}$"), Field(examples=["DE"]), Means("An ISO 3166-1 alpha-2 code.")
]

Email = Annotated[
    str,
    StringConstraints(max_length=254, pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$"),
    BeforeValidator(TextRule(mailbox)),
    Field(examples=["ada@example.org"]),
    Means("Compared without regard to case."),
]
"""An e-mail address, in NFKC and lower case, as addresses are compared; a name and a domain, without what headers take for more."""


Amount = Annotated[int, Field(ge=0, le=10**15, examples=[1250]), Means("In minor units: 1250 with EUR is 12.50.")]
"""An amount that is not negative, in minor units of a currency named beside it."""


def _in_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def _day_alone(value: object) -> object:
    """Midnight without a zone is not a day, it is half a moment."""
    if isinstance(value, str) and len(value) != len("2026-01-31"):
        raise ValueError("write a day as 2026-01-31, a time with its zone")
    return value


Moment = Annotated[
    AwareDatetime,
    Field(ge=datetime(1900, 1, 1, tzinfo=UTC), lt=datetime(2200, 1, 1, tzinfo=UTC)),
    AfterValidator(_in_utc),
    Means("With its offset from UTC (RFC 3339), as 2026-01-31T09:30:00+01:00; kept and shown in UTC."),
]
"""A time with its offset from UTC; kept in UTC."""

Day = Annotated[
    date,
    Field(ge=date(1900, 1, 1), lt=date(2200, 1, 1)),
    BeforeValidator(_day_alone),
    Means("A day of the calendar, as 2026-01-31."),
]
"""A day of the calendar."""

_MOMENT: TypeAdapter[datetime] = TypeAdapter(Moment)
_DAY: TypeAdapter[date] = TypeAdapter(Day)


def _moment_or_day(value: object) -> datetime | date:
    """One of the two, so that a refusal says what is wrong with that one."""
    is_day = len(value) == len("2026-01-31") if isinstance(value, str) else type(value) is date
    value = as_written(date if is_day else datetime, value)
    try:
        return _DAY.validate_python(value) if is_day else _MOMENT.validate_python(value)
    except ValidationError as error:
        raise ValueError(error.errors(include_url=False)[0]["msg"]) from None


def _written(value: datetime | date) -> str:
    """As JSON has it, which one of the two it is. What Pydantic would do by itself warns of each."""
    return str(to_jsonable_python(value))


MomentOrDay = Annotated[
    datetime | date,
    PlainValidator(_moment_or_day, json_schema_input_type=Moment | Day),
    PlainSerializer(_written, when_used="json"),
]
"""A time with its offset from UTC, or a day of the company's."""
