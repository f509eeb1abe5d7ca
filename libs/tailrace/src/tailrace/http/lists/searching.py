"""A list that is searched by words: pages of what is found, in any order that the list can be sorted by."""

from contextlib import aclosing
from typing import Any

from sqlalchemy import Select

from tailrace.db.database import Tx
from tailrace.db.text_search.search import found_by, found_in_order
from tailrace.http.files import exports
from tailrace.http.lists.pagination import Item, Listing, PageRequest, paginate, paginate_parts, start_of


async def paginate_found(
    tx: Tx, query: Select[Item], page: PageRequest, kind: Any, asked: str | None, *, masked: bool = False
) -> Listing[Item]:
    """One page of the rows of `query` that have all words of `asked`, or of all when that is None. `kind` is the query's, a Searchable.

    `masked`: looked for in the texts too that not everybody may see. Raises BadRequest for a cursor that is not one of this list's.
    """
    if asked is None:
        return await paginate(tx, query, page)
    name = page.sort.removeprefix("-")
    if name == kind.sorted_by and not exports.is_wanted():
        down, start = page.sort.startswith("-"), start_of(page)
        async with aclosing(found_in_order(tx, kind, asked, masked=masked, descending=down, start=start)) as parts:
            return await paginate_parts(tx, query, page, parts)
    found = await found_by(tx, kind, asked, masked=masked, by_id=name == "id")
    return await paginate(tx, query.where(found), page)
