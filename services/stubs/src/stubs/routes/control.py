"""/stubs: what goes wrong, and what was asked. For developers and tests; the gateway does not lead here."""

from collections import deque
from typing import Annotated

from fastapi import APIRouter, Query, Request

from stubs.faults import Fault
from stubs.log import Entry

router = APIRouter(prefix="/stubs", include_in_schema=False)


@router.get("/faults")
async def read_faults(request: Request) -> list[Fault]:
    return list(request.app.state.faults.on)


@router.put("/faults")
async def replace_faults(request: Request, faults: list[Fault]) -> list[Fault]:
    """These go wrong from now on, and nothing else; none, with an empty list."""
    request.app.state.faults.switch(faults)
    return faults


@router.get("/log")
async def read_log(
    request: Request, partner: str | None = None, contains: Annotated[str, Query(max_length=200)] = ""
) -> list[Entry]:
    """What was asked, first to last, of one partner or of all."""
    entries: deque[Entry] = request.app.state.log
    return [each for each in entries if partner in {None, each.partner} and contains in each.body + each.path]


@router.delete("/log", status_code=204)
async def delete_log(request: Request) -> None:
    """Forget what was asked, and what the partners keep of it."""
    request.app.state.log.clear()
    request.app.state.books.clear()
