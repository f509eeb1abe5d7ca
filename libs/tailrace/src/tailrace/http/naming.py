"""Operations are named by one plan: `list_orders` under the tag `orders` is `orders.list`, `confirm_order` is `orders.confirm`.

What is not about the tag's own things keeps its noun: `list_users` under `auth` is `auth.list_users`.
"""

from collections.abc import Iterator

from fastapi.routing import APIRoute


def operation_id(route: APIRoute) -> str:
    """The operation's id: its tag, and the endpoint's name without the noun that the tag says already."""
    tag = str(route.tags[0]).replace(" ", "_") if route.tags else "untagged"
    name = route.name.strip("_")
    verb = next((name.removesuffix(noun) for noun in _nouns(tag) if name.endswith(noun)), name)
    return f"{tag}.{verb}"


def _nouns(tag: str) -> Iterator[str]:
    """The plural and the singular."""
    yield f"_{tag}"
    yield f"_{tag.removesuffix('ies')}y" if tag.endswith("ies") else f"_{tag.removesuffix('s')}"
