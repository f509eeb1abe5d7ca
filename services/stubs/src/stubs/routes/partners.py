"""What each partner does, as far as a company needs it: the same request under the same `Idempotency-Key` is done once, and answered alike.

Answers follow from what is asked alone, so that a test knows them: a tax id whose digits end in 9 is invalid, one that ends in 8 is not known.
"""

import hashlib
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from stubs.books import Key, books_of
from stubs.routes import carrier, chat
from tailrace.core.errors import Unknown

_COUNTRY = Field(pattern="^[A-Z]{2}$")


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
    books = books_of(request)
    number = books.next("mail", "M")
    return books.once("mail", key, {"id": number, **message.model_dump()}, number)


@mail.get("/messages")
async def messages(request: Request, to: str | None = None) -> list[dict[str, Any]]:
    """Everything that was taken, first to last; for one address, with `to`."""
    return [each for each in books_of(request).kept["mail"].values() if to is None or to in each["to"]]


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
    books = books_of(request)
    number = books.next("bank", "P")
    made = {"id": number, **payment.model_dump(), "booked_on": datetime.now(UTC).date().isoformat()}
    return books.once("bank", key, made, number)


@bank.get("/statement")
async def statement(request: Request, since: date | None = None) -> dict[str, Any]:
    """What left, and what there is afterwards, in minor units, from a hundred million on."""
    paid = list(books_of(request).kept["bank"].values())
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


smtp = APIRouter(prefix="/smtp")


@smtp.get("/messages")
async def taken(request: Request, to: str | None = None) -> list[dict[str, Any]]:
    """What the mail server took, each message once by its `Message-ID`; for one address, with `to`."""
    return [each for each in books_of(request).kept["smtp"].values() if to is None or to in each["to"]]


ROUTERS = (carrier.router, chat.router, tax, mail, smtp, bank, verification)
NAMES = frozenset(router.prefix.removeprefix("/") for router in ROUTERS)
