"""Which scopes there are, and what the roles of a new tenant grant: read from what every manifest promises, so that identity names no service.

A service that is added declares its scopes in its manifest, and the contracts that identity is installed with carry them.
"""

from collections.abc import Sequence

from contracts.promised import manifests
from tailrace.core.errors import FieldProblem, Invalid
from tailrace.core.manifest import ANY_SCOPE, default_roles_of, is_known, scopes_of

ADMIN = "admin"


def default_roles() -> dict[str, list[str]]:
    """By name, of a new tenant: `admin`, which grants everything, and those that the manifests speak of."""
    return {**default_roles_of(manifests()), ADMIN: [ANY_SCOPE]}


def ensure_known(scopes: Sequence[str]) -> None:
    """Raises Invalid for scopes that no service asks for: a role that holds one would grant nothing, or one day more than was meant."""
    known = scopes_of(manifests())
    errors = [
        FieldProblem(field=f"/scopes/{position}", detail=f"No service has the scope {scope}.")
        for position, scope in enumerate(scopes)
        if not is_known(scope, known)
    ]
    if errors:
        raise Invalid("; ".join(error.detail for error in errors), errors=errors)
