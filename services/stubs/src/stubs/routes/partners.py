"""What each partner does, as far as a company needs it: the same request under the same `Idempotency-Key` is done once, and answered alike.

Answers follow from what is asked alone, so that a test knows them: a tax id whose digits end in 9 is invalid, one that ends in 8 is not known.
"""

import hashlib
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Request
from pydantic import BaseModel, Field

from tailrace.core.errors import Unknown

_COUNTRY = Field(pattern="^[A-Z]{2}$")
Key = Annotated[str | None, Header(alias="Idempotency-Key")]


@dataclass
class Books:
    """What the partners keep: by partner and key, what was answered; by partner and number, what there is."""

    answered: dict[tuple[str, str], Any] = field(default_factory=dict)
    kept: dict[str, dict[str, dict[str, Any]]] = field(default_factory=lambda: defaultdict(dict))

    def once(self, partner: str, key: str | None, made: dict[str, Any], number: str) -> dict[str, Any]:
        """What was made the first time under this key."""
        if key is not None and (before := self.answered.get((partner, key))) is not None:
            return dict(before)
        self.kept[partner][number] = made
        if key is not None:
            self.answered[partner, key] = made
        return made

    def next(self, partner: str, prefix: str) -> str:
        return f"{prefix}{len(self.kept[partner]) + 1:06d}"

    def clear(self) -> None:
        self.answered.clear()
        self.kept.clear()


def _books(request: Request) -> Books:
    books = request.app.state.books
    assert isinstance(books, Books)
    return books


class Parcel(BaseModel):
    reference: str = Field(max_length=100)
    """The shipment's own number."""
    country: str = _COUNTRY
    weight_grams: int = Field(ge=1, le=10_000_000)


carrier = APIRouter(prefix="/carrier")


@carrier.post("/bookings", status_code=201)
async def book(request: Request, parcel: Parcel, key: Key = None) -> dict[str, Any]:
    """A parcel is picked up; its tracking number, and what it costs in cents."""
    books = _books(request)
    number = books.next("carrier", "TR")
    cost = 500 + parcel.weight_grams // 10
    made = {"tracking_number": number, **parcel.model_dump(), "cost": cost, "booked_at": datetime.now(UTC).isoformat()}
    return books.once("carrier", key, made, number)


@carrier.get("/bookings/{number}")
async def track(request: Request, number: str) -> dict[str, Any]:
    """Where a parcel is: a second further with each second since it was booked."""
    booked = _books(request).kept["carrier"].get(number)
    if booked is None:
        raise Unknown("Booking", number)
    passed = (datetime.now(UTC) - datetime.fromisoformat(booked["booked_at"])).total_seconds()
    states = ("booked", "picked_up", "in_transit", "delivered")
    return {"tracking_number": number, "state": states[min(int(passed), len(states) - 1)]}


_RATES = {"DE": ("19", "7"), "FR": ("20", "5.5"), "GB": ("20", "5"), "JP": ("10", "8"), "US": ("0",)}
tax = APIRouter(prefix="/tax")


@tax.get("/rates")
async def rates(country: Annotated[str, _COUNTRY], on: date) -> dict[str, Any]:
    """What a country takes on a day, in percent, the ordinary rate first."""
    if country not in _RATES:
        raise Unknown("Country", country)
    given = _RATES[country]
    if country == "JP" and on < date(2019, 10, 1):
        given = ("8",)
    return {"country": country, "on": on, "rates": given}


class Message(BaseModel):
    to: list[str] = Field(min_length=1, max_length=50)
    subject: str = Field(max_length=500)
    text: str = ""
    attachments: list[str] = []
    """Names."""


mail = APIRouter(prefix="/mail")


@mail.post("/messages", status_code=202)
async def accept(request: Request, message: Message, key: Key = None) -> dict[str, Any]:
    """A message is taken, and goes nowhere."""
    books = _books(request)
    number = books.next("mail", "M")
    return books.once("mail", key, {"id": number, **message.model_dump()}, number)


@mail.get("/messages")
async def messages(request: Request, to: str | None = None) -> list[dict[str, Any]]:
    """Everything that was taken, first to last; for one address, with `to`."""
    return [each for each in _books(request).kept["mail"].values() if to is None or to in each["to"]]


class Payment(BaseModel):
    reference: str = Field(max_length=140)
    account: str = Field(max_length=34)
    amount: int = Field(gt=0)
    """In minor units."""
    currency: str = Field(pattern="^[A-Z]{3}$")


bank = APIRouter(prefix="/bank")


@bank.post("/payments", status_code=201)
async def pay(request: Request, payment: Payment, key: Key = None) -> dict[str, Any]:
    """Money leaves the account, once for each key."""
    books = _books(request)
    number = books.next("bank", "P")
    made = {"id": number, **payment.model_dump(), "booked_on": datetime.now(UTC).date().isoformat()}
    return books.once("bank", key, made, number)


@bank.get("/statement")
async def statement(request: Request, since: date | None = None) -> dict[str, Any]:
    """What left, and what there is afterwards, in minor units, from a hundred million on."""
    paid = list(_books(request).kept["bank"].values())
    lines = [each for each in paid if since is None or date.fromisoformat(each["booked_on"]) >= since]
    return {"opening": 100_000_000, "lines": lines, "closing": 100_000_000 - sum(each["amount"] for each in paid)}


class TaxId(BaseModel):
    country: str = _COUNTRY
    number: str = Field(min_length=1, max_length=60)


class Company(BaseModel):
    country: str = _COUNTRY
    name: str = Field(min_length=1, max_length=200)


Standing = Literal["valid", "invalid", "unknown"]
verification = APIRouter(prefix="/verification")


@verification.post("/tax-ids")
async def check_tax_id(asked: TaxId) -> dict[str, Any]:
    """Whether an office gave that number: not one that ends in 9, and of one that ends in 8 it does not know."""
    last = next((each for each in reversed(asked.number) if each.isdigit()), "0")
    result: Standing = "invalid" if last == "9" else "unknown" if last == "8" else "valid"
    return {"result": result, "reference": _reference(asked), "checked_on": datetime.now(UTC).date()}


@verification.post("/companies")
async def check_company(asked: Company) -> dict[str, Any]:
    """Whether there is such a company: since ten years, unless its name says that it is bankrupt."""
    gone = "bankrupt" in asked.name.lower()
    since = datetime.now(UTC).date() - timedelta(days=3650)
    return {"result": "invalid" if gone else "valid", "reference": _reference(asked), "registered_on": since}


def _reference(asked: BaseModel) -> str:
    return "V-" + hashlib.sha256(asked.model_dump_json().encode()).hexdigest()[:12].upper()


ROUTERS = (carrier, tax, mail, bank, verification)
NAMES = frozenset(router.prefix.removeprefix("/") for router in ROUTERS)
