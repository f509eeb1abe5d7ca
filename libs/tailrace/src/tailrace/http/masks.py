"""Properties that only some may see: without its scope, a masked one is left out of every answer, and nobody narrows or sorts by it.

    tax_ids: Annotated[list[TaxId], masked(pii)]

in a view is all that is said; OpenAPI shows the property as one that may be missing, and names the scope. It is left out rather than null, which
would mean that there is none, and so that an answer may be sent back whole: what a body does not name can stay as it is (`kept`).

What is turned into text outside of a request, for nobody, shows no masked property.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from pydantic import BaseModel, Field

from tailrace.core.context import Principal
from tailrace.core.errors import Forbidden
from tailrace.http.auth import Scope

__all__ = ["Masked", "ensure_shown", "kept", "masked", "shown_to", "shows"]

_principal: ContextVar[Principal | None] = ContextVar("shown to", default=None)
SAID = "x-scope"
"""What OpenAPI documents say of a masked property: the scope that shows it."""


class Masked(Forbidden):
    """403: the request names something that its sender may not see."""

    slug, title = "masked", "Not for you to see"


def masked(scope: Scope) -> Any:
    """In a view's `Annotated`: shown to those alone who have the scope."""
    return Field(exclude_if=lambda _: not shows(scope), json_schema_extra={SAID: scope.name})


def shows(scope: Scope) -> bool:
    """Whether the caller may see what this scope shows; outside of a request nobody may."""
    principal = _principal.get()
    return principal is not None and principal.may(scope.name)


def show_to(principal: Principal | None) -> None:
    """Whom the request is answered to."""
    _principal.set(principal)


@contextmanager
def shown_to(principal: Principal) -> Iterator[None]:
    """While this lasts, what is turned into text is for somebody: for what is made for a user later, exports and the like."""
    token = _principal.set(principal)
    try:
        yield
    finally:
        _principal.reset(token)


def ensure_shown(scope: Scope, names: Collection[str], *, kind: str = "") -> None:
    """Raises Masked, with the names of parameters or pointers into a body, unless the caller may see what they speak of."""
    if names and not shows(scope):
        raise Masked(f"This needs the scope {scope.name}.", field=[f"{kind}{name}" for name in sorted(names)])


def kept(body: BaseModel, masks: Mapping[str, Scope]) -> frozenset[str]:
    """Which fields of a body that replaces something whole have to stay as they are, since its sender does not see them.

    Raises Masked for those among them that the body names nevertheless.
    """
    hidden = {name for name, scope in masks.items() if not shows(scope)}
    for name in sorted(hidden & body.model_fields_set):
        ensure_shown(masks[name], [name], kind="/")
    return frozenset(hidden)
