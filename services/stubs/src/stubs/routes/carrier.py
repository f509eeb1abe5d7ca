"""A carrier: takes parcels, lets them go until they are picked up, and says where they are.

A booking is known by the sender's reference too: asked for twice, under whichever key, it is one. Where nobody says otherwise a parcel goes a step
further with each second; a test says its steps, to be told in any order.
"""

from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request
from pydantic import AwareDatetime, BaseModel, Field

from stubs.books import Books, Key, books_of
from stubs.refusals import OnItsWay
from tailrace.core.errors import Unknown

router = APIRouter(prefix="/carrier")
State = Literal["picked_up", "in_transit", "out_for_delivery", "delivered", "exception", "returned", "lost"]
_BY_ITSELF: tuple[State, ...] = ("picked_up", "in_transit", "delivered")


class Parcel(BaseModel):
    reference: str = Field(max_length=100)
    """The sender's own name for the booking."""
    country: str = Field(pattern="^[A-Z]{2}$")
    weight_grams: int = Field(ge=1, le=10_000_000)
    service: str = "standard"
    parcels: list[dict[str, Any]] = []


class Cancellation(BaseModel):
    reference: str = Field(max_length=100)


class Step(BaseModel):
    reference: str = Field(max_length=200)
    state: State
    at: AwareDatetime
    place: str | None = None
    detail: str | None = None


@router.post("/bookings", status_code=201)
async def book(request: Request, parcel: Parcel, key: Key = None) -> dict[str, Any]:
    """A parcel is picked up; its tracking number, and what it costs in cents."""
    books = books_of(request)
    if (before := _booked(books, parcel.reference)) is not None:
        return before
    number = books.next("carrier", "TR")
    cost = 500 + parcel.weight_grams // 10
    now = datetime.now(UTC).isoformat()
    made = {"tracking_number": number, **parcel.model_dump(), "cost": cost, "currency": "EUR", "booked_at": now}
    return books.once("carrier", key, made, number)


@router.get("/bookings/{number}")
async def track(request: Request, number: str) -> dict[str, Any]:
    """Where a parcel is: a second further with each second since it was booked."""
    booked = books_of(request).kept["carrier"].get(number)
    if booked is None:
        raise Unknown("Booking", number)
    states = ("booked", *_BY_ITSELF)
    return {"tracking_number": number, "state": states[min(_passed(booked), len(states) - 1)]}


@router.post("/cancellations")
async def cancel(request: Request, asked: Cancellation) -> dict[str, Any]:
    """Whatever is booked under the reference is not picked up; also where nothing is."""
    books = books_of(request)
    booked = _booked(books, asked.reference)
    if booked is not None:
        if any(step["state"] == "picked_up" for step in _way(books, booked)):
            raise OnItsWay("It was picked up.")
        booked["cancelled"] = True
    return {"cancelled": True}


@router.get("/ways/{reference}")
async def read_way(request: Request, reference: str) -> dict[str, Any]:
    """All that is to be said of a parcel's way."""
    books = books_of(request)
    if (booked := _booked(books, reference)) is None:
        raise Unknown("Booking", reference)
    return {"steps": _way(books, booked)}


@router.put("/ways/{reference}")
async def say_way(request: Request, reference: str, steps: list[Step]) -> dict[str, Any]:
    """For tests: say these of the way, in this order, and nothing by the clock."""
    said = [step.model_dump(mode="json") for step in steps]
    books_of(request).kept["carrier ways"][reference] = {"steps": said}
    return {"steps": said}


def _booked(books: Books, reference: str) -> dict[str, Any] | None:
    found = (each for each in books.kept["carrier"].values() if each["reference"] == reference)
    return next((each for each in found if not each.get("cancelled")), None)


def _passed(booked: dict[str, Any]) -> int:
    return int((datetime.now(UTC) - datetime.fromisoformat(booked["booked_at"])).total_seconds())


def _way(books: Books, booked: dict[str, Any]) -> list[dict[str, Any]]:
    said = books.kept["carrier ways"].get(booked["reference"])
    if said is not None:
        return list(said["steps"])
    since = datetime.fromisoformat(booked["booked_at"])
    return [
        {"reference": f"{booked['tracking_number']}-{at}", "state": state}
        | {"at": (since + timedelta(seconds=at)).isoformat(), "place": None, "detail": None}
        for at, state in enumerate(_BY_ITSELF[: _passed(booked)], 1)
    ]
