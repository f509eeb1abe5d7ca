"""The routes of an aggregate's parts, said once: a service says where they are, what is sent and shown, who may, and which events tell of it::

    part_routes(
        router, "/{claim_id}/findings", Finding, "a finding", body=FindingBody, view=FindingView, reader=Reader,
        writer=Writer, added=FindingAdded, changed=FindingChanged, removed=FindingRemoved,
    )

adds to the router of `/v1/claims`:

- `POST /v1/claims/{claim_id}/findings`, `create_finding`: 201 with the view, `Location` and `ETag`
- `GET /v1/claims/{claim_id}/findings`, `list_findings`: a page
- `GET /v1/claims/{claim_id}/findings/{finding_id}`, `read_finding`: the view
- `PUT /v1/claims/{claim_id}/findings/{finding_id}`, `replace_finding`: the view; where there is a `changed`
- `DELETE /v1/claims/{claim_id}/findings/{finding_id}`, `delete_finding`: 204; where there is a `removed`

Whatever writes one locks the claim, checks `If-Match` against its version, and records an event of it; every `ETag` is the claim's. A part is found
below what the path names and nowhere else. Parts of parts are said the same way, under `/{claim_id}/findings/{finding_id}/photos`. What a body alone
cannot decide, functions of the service do: `load`, `before_write`, `before_delete`. What is different is a route that is written out.
"""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from inspect import Parameter, Signature, signature
from itertools import pairwise
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from sqlalchemy import inspect, select

from tailrace.core.events import Event
from tailrace.core.ids import uuid7
from tailrace.db.database import Tx as Transaction
from tailrace.db.models import Aggregate, Part
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Column, Filter
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Body, Tx, View

__all__ = ["part_routes"]

Ids = Mapping[str, UUID]
"""Of a path, by the names in it."""
LoadRoot = Callable[[Any, UUID, int | None], Awaitable[Aggregate]]
"""A transaction, the root's id, and the version that `If-Match` names."""
Before = Callable[[Any, Any], Awaitable[object]]
"""A transaction, and the part."""


def part_routes(
    router: APIRouter,
    path: str,
    kind: type[Part],
    noun: str,
    *,
    body: type[Body],
    view: type[View],
    reader: Any,
    writer: Any,
    added: type[Event],
    changed: type[Event] | None = None,
    removed: type[Event] | None = None,
    load: LoadRoot | None = None,
    before_write: Before | None = None,
    before_delete: Before | None = None,
    filters: Sequence[Filter] = (),
    sort: Sequence[Column] = (),
    deletes: str | None = None,
) -> None:
    """Add the routes of `kind` to `router`. `path` names ids as the columns are called that hold them; `noun` is one of it with its article.

    `reader` and `writer` are the service's, as in the signatures of its other routes. The fields of `body` are columns of `kind`, and events get
    theirs from the rows, by `record_as`. `load` loads the root for a change where not each of them may be changed, as
    `commands.active(tx, claim_id, match)`; without it, that is `Tx.load`. `before_write` is awaited with a part that is new or different, as
    `commands.check(tx, finding)`, and `before_delete` with one that is to go: they refuse it, or set what goes with it, such as a deadline. `deletes`
    is what the reference is to say of the removal.
    """
    one, several = _table(kind), path.rpartition("/")[2].replace("-", "_")
    names = (*re.findall(r"{(\w+)}", path), f"{one}_id")
    place = _Place(kind, names, getattr(kind, names[-2]), load or partial(_load, kind))
    here, shown = f"{path}/{{{place.names[-1]}}}", Page[view]  # type: ignore[valid-type]
    page = Annotated[PageRequest, listed(kind, *filters, sort=sort)]

    def add(method: str, path: str, called: str, said: str, endpoint: Any, answer: Any, status: int = 200) -> None:
        """FastAPI reads the operation from the endpoint: what it is called, what it says, and the types of its arguments."""
        types = {"tx": Tx, "who": reader if method == "GET" else writer, "match": IfMatch, "body": body, "page": page}
        types |= {name: UUID for name in place.names if f"{{{name}}}" in path}
        wanted = [name for name, each in signature(endpoint).parameters.items() if each.kind is Parameter.KEYWORD_ONLY]
        wanted += [name for name in place.names if name in types]
        arguments = [Parameter(name, Parameter.KEYWORD_ONLY, annotation=types[name]) for name in wanted]
        endpoint.__signature__ = Signature(arguments)
        endpoint.__annotations__ = {"return": kind if answer is view else answer}
        endpoint.__name__ = endpoint.__qualname__ = called
        endpoint.__doc__ = said
        router.add_api_route(path, endpoint, methods=[method], status_code=status, response_model=answer)

    add("POST", path, f"create_{one}", f"Add {noun}.", _create(place, added, before_write or _pass), view, 201)
    add("GET", path, f"list_{several}", f"{several.replace('_', ' ').capitalize()}.", _list(place), shown)
    add("GET", here, f"read_{one}", f"One {noun.partition(' ')[2]}.", _read(place), view)
    if changed is not None:
        add(
            "PUT",
            here,
            f"replace_{one}",
            f"Replace {noun}, whole.",
            _replace(place, changed, before_write or _pass),
            view,
        )
    if removed is not None:
        add(
            "DELETE",
            here,
            f"delete_{one}",
            deletes or f"Remove {noun}.",
            _delete(place, removed, before_delete or _pass),
            None,
            204,
        )


@dataclass(frozen=True)
class _Place:
    """Where the parts of a kind are: `names` are those of the ids in a path, from the root's to the part's own."""

    kind: Any
    names: tuple[str, ...]
    above: Column
    """Holds the id of what they are directly in."""
    load: LoadRoot

    async def locked(self, tx: Transaction, ids: Ids, match: int | None) -> Aggregate:
        """The root, for a change. Raises Unknown, Stale, and what the service's own `load` raises."""
        return await self.load(tx, ids[self.names[0]], match)

    async def found(self, tx: Transaction, ids: Ids) -> list[Any]:
        """The root and the parts that a path names, each found within the one before it. Raises Unknown."""
        return [await tx.find(_line(self.kind)[0], ids[self.names[0]]), *await self.below(tx, ids)]

    async def below(self, tx: Transaction, ids: Ids) -> list[Part]:
        """The parts alone, where the root is locked already. Raises Unknown."""
        line = zip(_line(self.kind)[1:], pairwise(self.names), strict=True)
        named = [(kind, above, name) for kind, (above, name) in line if name in ids]
        return [await tx.find(kind, ids[name], getattr(kind, above) == ids[above]) for kind, above, name in named]


def _line(kind: type[Any]) -> list[type[Any]]:
    """What it is part of, from the root down, and itself last."""
    above = inspect(kind).relationships[kind.__root__].mapper.class_
    return [*(_line(above) if issubclass(above, Part) else [above]), kind]


async def _load(kind: type[Part], tx: Transaction, id: UUID, match: int | None) -> Aggregate:
    root: type[Aggregate] = _line(kind)[0]
    return await tx.load(root, id, match)


async def _pass(tx: Transaction, part: Part) -> None:
    """Of what a body alone decides."""


def _table(kind: Any) -> str:
    name: str = kind.__tablename__
    return name


def _create(place: _Place, added: type[Event], before: Before) -> Any:
    async def create(*, tx: Transaction, who: Any, match: int | None, body: Body, **ids: UUID) -> Part:
        root = await place.locked(tx, ids, match)
        between = await place.below(tx, ids)
        part: Part = place.kind(id=uuid7(), **{place.kind.__root__: (root, *between)[-1]}, **body.model_dump())
        await before(tx, part)
        root.record_as(added, *between, part)
        tx.add(part)
        return part

    return create


def _list(place: _Place) -> Any:
    async def list_(*, tx: Transaction, who: Any, page: PageRequest, **ids: UUID) -> Listing[Part]:
        await place.found(tx, ids)
        return await paginate(tx, select(place.kind).where(place.above == ids[place.names[-2]]), page)

    return list_


def _read(place: _Place) -> Any:
    async def read(*, tx: Transaction, who: Any, **ids: UUID) -> Part:
        return (await place.found(tx, ids))[-1]  # type: ignore[no-any-return]

    return read


def _replace(place: _Place, changed: type[Event], before: Before) -> Any:
    async def replace(*, tx: Transaction, who: Any, match: int | None, body: Body, **ids: UUID) -> Part:
        root = await place.locked(tx, ids, match)
        *between, part = await place.below(tx, ids)
        if part.update_from(body.model_dump()):
            await before(tx, part)
            root.record_as(changed, *between, part)
        return part

    return replace


def _delete(place: _Place, removed: type[Event], before: Before) -> Any:
    async def delete(*, tx: Transaction, who: Any, match: int | None, **ids: UUID) -> None:
        root = await place.locked(tx, ids, match)
        *between, part = await place.below(tx, ids)
        await before(tx, part)
        root.record_as(removed, *between, part)
        await tx.delete(part)

    return delete
