"""A value has one way to be written, whatever type its field is declared with."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from pydantic import BaseModel, Field, SecretStr, ValidationError

from tailrace.core.values.fields import Code, Email, Moment, Note, Password
from tailrace.core.values.money import Quantity
from tailrace.core.values.wire import REPEATED, WireModel

ID = "0196b0a0-0000-7000-8000-000000000000"


class Inner(WireModel):
    count: int = 0


class Sent(WireModel):
    count: int = 0
    small: Annotated[int, Field(ge=0, le=9)] = 0
    some: list[int] | None = None
    by_name: dict[str, Decimal] = {}
    flag: bool = False
    exact: Decimal = Decimal(0)
    quantity: Quantity | None = None
    at: datetime | None = None
    moment: Moment | None = None
    day: date | None = None
    id: UUID | None = None
    text: str = ""
    note: Note = ""
    code: Code | None = None
    email: Email | None = None
    secret: SecretStr | None = None
    password: Password | None = None
    inner: Inner | None = None


NO_OBJECTS: tuple[Any, ...] = (Decimal("1.5"), REPEATED, 1, "x", [])
REFUSED: list[tuple[str, Any]] = [
    *((name, value) for name in ("count", "small") for value in (True, "5", 1.5, Decimal(5), 10**30, REPEATED)),
    ("some", [True]),
    ("some", ["1"]),
    ("by_name", {"a": "1_0"}),
    ("by_name", {"a\x00": "1"}),
    *(("flag", value) for value in ("yes", "true", 1, 0, "on")),
    *(
        (name, value)
        for name in ("exact", "quantity")
        for value in (
            True,
            1.5,
            "1_000",
            "٣",
            " 5",
            "5 ",
            "0x10",
            "1e3",
            "+5",
            "05",
            ".5",
            "5.",
            "",
            "NaN",
            Decimal("NaN"),
        )
    ),
    ("exact", Decimal("1E+400")),
    ("exact", Decimal("1E-400")),
    *(
        (name, value)
        for name in ("at", "moment")
        for value in (
            0,
            1700000000,
            Decimal("1.5"),
            "1700000000",
            "2026-01-31",
            "2026-01-31T00:00:00",
            "2026-01-31 00:00:00Z",
        )
    ),
    *(("day", value) for value in (20000, "20000", "1699920000", "20260131", "2026-01-31T00:00:00Z", "٢٠٢٦-01-31")),
    *(("id", value) for value in (7, ID.replace("-", ""), f"{{{ID}}}", f"urn:uuid:{ID}")),
    *((name, "a\u202eb") for name in ("text", "note", "code", "secret", "password")),
    ("text", "a\nb"),
    ("email", "a\u200b@x.org"),
    *(("inner", value) for value in NO_OBJECTS),
    ("inner", {"count": True}),
]


@pytest.mark.parametrize(("name", "value"), REFUSED)
def test_what_only_looks_like_a_value_is_refused_under_its_name(name: str, value: Any) -> None:
    with pytest.raises(ValidationError) as refused:
        Sent.model_validate({name: value}, from_attributes=True)
    assert {error["loc"][0] for error in refused.value.errors()} == {name}


@pytest.mark.parametrize(
    ("name", "value", "kept"),
    [
        ("count", -5, -5),
        ("exact", "12345678901.123456", Decimal("12345678901.123456")),
        ("exact", 5, Decimal(5)),
        ("quantity", Decimal("0.000001"), Decimal("0.000001")),
        ("at", "2026-01-31T09:00:00.123456+09:00", datetime(2026, 1, 31, 0, 0, 0, 123456, UTC)),
        ("moment", "2026-01-31t00:00:00z", datetime(2026, 1, 31, tzinfo=UTC)),
        ("day", "2026-01-31", date(2026, 1, 31)),
        ("id", ID, UUID(ID)),
        ("id", UUID(ID), UUID(ID)),
        ("text", " cafe\u0301 ", "café"),
        ("note", "a\r\nb", "a\nb"),
        ("code", "ＡＢ", "AB"),
        ("inner", {"count": 3}, Inner(count=3)),
    ],
)
def test_what_is_written_as_it_should_be_is_kept(name: str, value: Any, kept: Any) -> None:
    assert getattr(Sent.model_validate({name: value}, from_attributes=True), name) == kept


def test_a_model_within_has_to_be_as_strict() -> None:
    class Plain(BaseModel):
        flag: bool = False

    with pytest.raises(TypeError, match=r"Outer\.plain holds Plain"):

        class Outer(WireModel):
            plain: list[Plain | None] = []


def test_a_password_that_is_a_secret_already_is_spelled_as_well() -> None:
    made = Sent(password=SecretStr("pa\u3000ss"))
    assert made.password is not None
    assert made.password.get_secret_value() == "pa ss"
