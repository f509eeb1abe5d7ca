"""The routes of master data, said once: a service says what it is, what is sent and shown, who may, and what lists are narrowed by.

    master_data_routes(router, Carrier, "a carrier", body=CarrierBody, view=CarrierView, reader=Reader, writer=Writer)

adds to the router of `/v1/carriers` what `tailrace.db.master_data` does:

- `POST /v1/carriers`, `create_carrier`: 201 with the view, `Location` and `ETag`
- `GET /v1/carriers`, `list_carriers`: a page; takes `code`, `name`, the filters, `deleted` and `sort`
- `GET /v1/carriers/{carrier_id}`, `read_carrier`: the view with its `ETag`
- `PUT /v1/carriers/{carrier_id}`, `replace_carrier`: the view
- `DELETE /v1/carriers/{carrier_id}`, `delete_carrier`: 204
- `POST /v1/carriers/{carrier_id}/restore`, `restore_carrier`: the view

What must hold besides the fields' own rules, the row decides: `ensure_references`, `fixed`, `ensure_unused`, `ensure_restorable`. What is more or
different is a route beside these, written out: before them where a path of its own (`GET /v1/carriers/nearest`) would be taken for an id.
"""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, TypeVar
from uuid import UUID

from fastapi import APIRouter, Path
from sqlalchemy.orm import raiseload

from tailrace.db import master_data
from tailrace.db.master_data import MasterData
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Deleted, Filter, by_id, called, part_of
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Body, ResourceView, Tx

__all__ = ["master_data_routes"]

AnyMaster = TypeVar("AnyMaster", bound=MasterData)


def master_data_routes(
    router: APIRouter,
    kind: type[AnyMaster],
    noun: str,
    *,
    body: type[Body],
    view: type[ResourceView],
    reader: Any,
    writer: Any,
    filters: Sequence[Filter] = (),
    summary: type[ResourceView] | None = None,
    lists: str | None = None,
    replaces: str | None = None,
    deletes: str | None = None,
) -> None:
    """Add the six routes of `kind` to `router`. `noun` is one of it with its article; what several are called, the router's path says.

    `reader` and `writer` are the service's, as in the signatures of its other routes. Lists take the code and a part of the name besides `filters`,
    and sort by code, name and time of creation; they show `view`, or `summary` of it, for which no parts are loaded. `lists`, `replaces` and
    `deletes` say of an operation what the reference is to say, where that is more than its name.
    """
    one, name, path = kind.__tablename__, noun.partition(" ")[2], f"/{{{kind.__tablename__}_id}}"
    several = router.prefix.rpartition("/")[2].replace("-", "_")
    code: Any = getattr(kind, kind.code_field)
    page_of = listed(
        kind, by_id(kind), called(kind), part_of(kind.name), *filters, sort=[code, kind.name, kind.created_at]
    )
    shown: Any = Page[summary or view]  # type: ignore[misc]
    no_parts = [raiseload("*")] if summary is not None else []
    types: dict[str, Any] = {"body": body, "id": Annotated[UUID, Path(alias=f"{one}_id")]}
    types["page"] = Annotated[PageRequest, page_of]

    async def create(tx: Tx, who: Any, body: Any) -> AnyMaster:
        return await master_data.create(tx, kind, master_data.values_of(kind, body))

    async def list_(tx: Tx, who: Any, page: Any, deleted: Deleted = False) -> Listing[AnyMaster]:
        return await paginate(tx, master_data.rows(kind, deleted=deleted).options(*no_parts), page)

    async def read(tx: Tx, who: Any, id: UUID) -> AnyMaster:
        return await tx.find(kind, id)

    async def replace(tx: Tx, who: Any, match: IfMatch, id: UUID, body: Any) -> AnyMaster:
        return await master_data.replace(tx, kind, id, match, master_data.values_of(kind, body))

    async def delete(tx: Tx, who: Any, match: IfMatch, id: UUID) -> None:
        await master_data.delete(tx, kind, id, match)

    async def restore(tx: Tx, who: Any, match: IfMatch, id: UUID) -> AnyMaster:
        return await master_data.restore(tx, kind, id, match)

    def add(
        method: str, path: str, endpoint: Callable[..., Any], verb: str, said: str, answer: Any, status: int = 200
    ) -> None:
        """FastAPI reads the operation from the endpoint: what it is called, what it says, and the types of its arguments."""
        endpoint.__name__ = endpoint.__qualname__ = f"{verb}_{several if verb == 'list' else one}"
        endpoint.__doc__ = said
        known = {**types, "who": reader if method == "GET" else writer}
        arguments = endpoint.__annotations__
        endpoint.__annotations__ = {argument: known.get(argument, hint) for argument, hint in arguments.items()}
        router.add_api_route(path, endpoint, methods=[method], status_code=status, response_model=answer)

    listing = lists or f"{several.replace('_', ' ').capitalize()}."
    again = f"Take a deleted {name} back into use, as it was, unless another one has its code by now."
    add("POST", "", create, "create", f"Add {noun}.", view, 201)
    add("GET", "", list_, "list", listing, shown)
    add("GET", path, read, "read", f"One {name}.", view)
    add("PUT", path, replace, "replace", replaces or f"Replace {noun}, whole.{_fixed(kind)}", view)
    add("DELETE", path, delete, "delete", deletes or f"Delete {noun}.", None, 204)
    add("POST", f"{path}/restore", restore, "restore", again, view)


def _fixed(kind: type[MasterData]) -> str:
    """What a replacement leaves as it is, in a sentence."""
    *others, last = [f"`{field}`" for field in kind.fixed] or [""]
    return f" {', '.join(others)} and {last} stay." if others else f" {last} stays." if last else ""
