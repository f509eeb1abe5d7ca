"""Many at once: `POST /v1/customers/bulk` makes up to a thousand of what `POST /v1/customers` makes one of, with a result for each.

`bulk_router(importable, "/v1/customers", writer, CustomerView)` is all that is said; body and commands are those of the import. An item stands
alone, in a savepoint of its own: what is wrong with one keeps no other from being made, and leaves nothing behind. Items are taken in parts, a
transaction each, so that no lock is held for long, and each part has its place under the request's key: the same request under the same key, after
whatever broke it off, goes on where it stopped, and nothing is done twice.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import Field, ValidationError, WithJsonSchema, create_model
from sqlalchemy import select

from tailrace.core.context import Principal
from tailrace.core.errors import BadRequest, FieldProblem, Problem
from tailrace.db.database import Tx as Transaction
from tailrace.db.error_classes import is_conflict, is_transient, is_uncertain
from tailrace.http import routing
from tailrace.http.location import location_of
from tailrace.http.protocol.exact_json import DECODED, decoded
from tailrace.http.protocol.problem_details import ProblemView, invalid, problem_of, shown
from tailrace.http.routing import Answer, Body, TenantRoute, Tx, View, has_version, like, tenant_router
from tailrace.messaging.subscribers import Subscriber
from tailrace.transfer.importable import Importable

__all__ = ["LARGEST_BULK", "MOST_ITEMS", "BulkAnswer", "BulkRoute", "bulk_router"]

MOST_ITEMS = 1000
LARGEST_BULK = 8 * 1024 * 1024
"""Bytes of a body; the service exposes the path with this as its `body_limit`, and 60 seconds to write."""
_OF_PART = 50
_LONGEST_EVENTS = 4000
"""Characters of `Tailrace-Event`; longer ones are more than some clients and proxies take, and every result has its own."""
_ERRORS_OF_ONE, _ERRORS_LATER = 5, 1
"""So many fields are named of an item in the first part, and of a later one: a thousand that are wrong in everything make no answer of megabytes."""
_APART = "\x1f"
"""Before the number of a further part: no key of a client's holds it."""

_Unchecked = Annotated[Any, WithJsonSchema({"type": "object"})]
"""An item, which is checked by itself; the document has the body of the single command in its place (`BulkRoute.item`)."""

Became = Literal["created", "replaced", "unchanged", "refused"]


class BulkBody(Body):
    """Up to so many at once."""

    replace: bool = False
    """Whether an item whose code somebody has already takes that one's place, as a `PUT` would; it is refused otherwise."""


class BulkResult(View):
    """What became of an item."""

    index: int
    """Its place in the request, from 0."""
    status: int
    """The HTTP status that a request for it alone would have had."""
    became: Became
    """`unchanged`: it was replaced by what it was already."""
    id: UUID | None = None
    """Of what was made or replaced."""
    version: int | None = None
    """Of the same, to be sent back as `If-Match`."""
    location: str | None = None
    """Where that is shown."""
    events: list[str] = []
    """What was recorded, to be sent as `Tailrace-After`."""
    problem: ProblemView | None = None
    """Why it was refused; fields are named as they stand in the request, `/items/3/name`."""


class BulkCounts(View):
    """How many of the items became what."""

    created: int = 0
    """How many were made."""
    replaced: int = 0
    """How many took the place of what was there."""
    unchanged: int = 0
    """How many were there already, just so."""
    refused: int = 0
    """How many were not taken."""


class BulkAnswer(View):
    """What became of all items. It is a 200 whatever did: look at `counts`."""

    counts: BulkCounts
    """How many of the items became what."""
    items: list[BulkResult]
    """A result for each item, in the order of the request."""


class BulkRoute(TenantRoute):
    """Takes a list of things, a part of it in each transaction."""

    body_limit: ClassVar[int] = LARGEST_BULK
    item: ClassVar[type[Body]]
    """What one of them is."""
    most: ClassVar[int] = MOST_ITEMS

    async def carried_out(
        self, request: Request, answer: Answer, principal: Principal, key: str | None, body: bytes
    ) -> Response:
        assert key is not None
        parts: list[Response] = []
        for number, part in enumerate(_parts(body, self.most)):
            request.scope[DECODED] = part
            request.state.begins_at = number * _OF_PART
            parts.append(await routing.write(request, answer, principal, _key_of(key, number), body))
        if parts:
            return _joined(parts)
        # No list of things: the endpoint says what is wrong with it.
        return await routing.write(request, answer, principal, key, body)


def bulk_router(
    importable: Importable,
    prefix: str,
    writer: Any,
    view: type[View],
    *,
    tag: str | None = None,
    reads: Sequence[Subscriber] = (),
    most: int = MOST_ITEMS,
) -> APIRouter:
    """The route of one importable under the path of its list.

    `writer` is what its single command asks for, as in signatures of routes; `view` is what that one answers. `tag` is that of the
    list, where it is not the last word of its path; `reads` is as `tenant_router` has it.
    """
    noun = prefix.rpartition("/")[2].replace("-", "_")
    router = tenant_router(prefix, tag=tag or prefix.removeprefix("/v1/").replace("/", " "), reads=reads)
    kind = like(router, BulkRoute, item=importable.body, most=most)
    # A document is made once, and nothing takes its place.
    base: type[Body] = Body if importable.kind is None else BulkBody
    items: Any = (
        Annotated[list[_Unchecked], Field(min_length=1, max_length=most)],
        Field(description=f"What is to be made, at most {most:,}; each is taken or refused by itself."),
    )
    # It stands in no source: pydantic would look for its fields' docstrings through every frame and module there is.
    unwritten = {"use_attribute_docstrings": False}
    of_many: Any = create_model(f"Bulk{importable.body.__name__}", __base__=base, __cls_kwargs__=unwritten, items=items)
    of_many.__doc__ = BulkBody.__doc__

    async def create_many(tx: Tx, who: writer, request: Request, body: of_many) -> Any:
        """Make many at once. Each item has a result of its own; under the same key nothing is done twice."""
        place = partial(location_of, prefix, model=view, siblings=kind.siblings)
        one = _One(tx, request, importable, view, place, replaces=getattr(body, "replace", False))
        first = request.state.begins_at
        results = [await one.result(first + at, item) for at, item in enumerate(vars(body)["items"])]
        return {"counts": _counts(result.became for result in results), "items": results}

    create_many.__name__ = f"bulk_{noun}"
    router.add_api_route(
        "/bulk",
        create_many,
        methods=["POST"],
        response_model=BulkAnswer,
        response_model_exclude_none=True,
        route_class_override=kind,
    )
    return router


class _One:
    """Makes one thing at a time, in a transaction."""

    def __init__(
        self,
        tx: Transaction,
        request: Request,
        of: Importable,
        view: type[View],
        place: Callable[..., str | None],
        *,
        replaces: bool,
    ) -> None:
        self._tx, self._request, self._of = tx, request, of
        self._place, self._replaces = place, replaces
        self._has_version = has_version(view)

    async def result(self, index: int, item: Any) -> BulkResult:
        """What became of it. Raises what is not its own fault, and what passes when the transaction begins over."""
        before = len(self._tx.recorded)
        try:
            body = self._of.body.model_validate(item)
            async with self._tx.begin_nested():
                row, became = await self._made(body)
                await self._tx.settle()
        except ValidationError as error:
            found = [{**each, "loc": ("body", "items", index, *each["loc"])} for each in error.errors()]
            return self._refused(index, invalid(found))
        except Exception as error:
            if is_transient(error) or is_conflict(error) or is_uncertain(error):
                raise
            problem = error if isinstance(error, Problem) else problem_of(error)
            if problem.status >= 500:
                raise
            problem.errors = [_placed(each, index) for each in problem.errors]
            return self._refused(index, problem)
        id = getattr(row, "id", None)
        return BulkResult(
            index=index,
            status=201 if became == "created" else 200,
            became=became,
            id=id,
            version=getattr(row, "version", None) if self._has_version else None,
            location=None if id is None else self._place(id=id),
            events=[recorded.mark for recorded in self._tx.recorded[before:]],
        )

    async def _made(self, body: Body) -> tuple[Any, Became]:
        kind = self._of.kind
        if self._replaces and kind is not None and (code := getattr(body, kind.code_field)):
            live = select(kind).where(kind.code_key == kind.key_of(code), kind.deleted_at.is_(None))
            row = await self._tx.scalar(live)
            if row is not None:
                assert self._of.replace is not None
                if not self._of.differs(row, body):
                    return row, "unchanged"
                return await self._of.replace(self._tx, row, body), "replaced"
        return await self._of.create(self._tx, body), "created"

    def _refused(self, index: int, problem: Problem) -> BulkResult:
        view = shown(problem, self._request, _ERRORS_OF_ONE if index < _OF_PART else _ERRORS_LATER)
        return BulkResult(index=index, status=problem.status, became="refused", problem=view)


def _placed(fault: FieldProblem, index: int) -> FieldProblem:
    """A pointer into the item as one into the request."""
    inside = not fault.field or fault.field.startswith("/")
    return FieldProblem(field=f"/items/{index}{fault.field}", detail=fault.detail) if inside else fault


def _counts(became: Iterable[str]) -> dict[str, int]:
    counts = dict.fromkeys(BulkCounts.model_fields, 0)
    for each in became:
        counts[each] += 1
    return counts


def _parts(body: bytes, most: int) -> Iterator[Mapping[str, Any]]:
    """The request cut into smaller ones; none when it is no list of things, or of too many."""
    try:
        whole = decoded(body)
    except BadRequest:
        return
    items = whole.get("items") if isinstance(whole, dict) else None
    if isinstance(items, list) and len(items) <= most:
        for begin in range(0, len(items), _OF_PART):
            yield {**whole, "items": items[begin : begin + _OF_PART]}


def _key_of(key: str, number: int) -> str:
    """What a part is kept under. The first has the client's own key, so that no other request has it meanwhile or later; the others have one that is
    made of it, and is not longer than a key may be."""
    return key if number == 0 else f"{sha256(key.encode()).hexdigest()}{_APART}{number}"


def _joined(parts: Sequence[Response]) -> Response:
    """One answer of those to all parts."""
    answers = [decoded(bytes(part.body)) for part in parts]
    items = [item for answer in answers for item in answer["items"]]
    response = JSONResponse({"counts": _counts(item["became"] for item in items), "items": items})
    events = ", ".join(filter(None, (part.headers.get("tailrace-event") for part in parts)))
    if events and len(events) <= _LONGEST_EVENTS:
        response.headers["Tailrace-Event"] = events
    if all(part.headers.get("idempotency-replayed") for part in parts):
        response.headers["Idempotency-Replayed"] = "true"
    return response
