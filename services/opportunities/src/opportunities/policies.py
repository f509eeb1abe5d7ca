"""What a tenant has said of leads and opportunities, each kind in one row.

Until it has said something, nothing is scored or assigned, and an accepted quote proposes.
"""

from typing import Any, Literal, TypeVar
from uuid import UUID

from sqlalchemy.orm import Mapped

from contracts.leads import PolicyChanged
from opportunities.base import Base
from opportunities.bodies.policies import AssignmentBody, ClosingBody, ScoringBody
from tailrace.core.ids import derived_id
from tailrace.db.database import Tx
from tailrace.db.models import Aggregate
from tailrace.http.routing import Body

Kind = Literal["scoring", "assignment", "closing"]
AnyBody = TypeVar("AnyBody", bound=Body)


class Policy(Aggregate, Base):
    """One of each kind, under an id that the tenant's and the kind make."""

    __tablename__ = "policy"

    kind: Mapped[Kind]
    content: Mapped[dict[str, Any]]

    def say(self, said: Body) -> None:
        self.content = said.model_dump(mode="json")
        self.record(PolicyChanged(policy_id=self.id, kind=self.kind, content=self.content))


async def scoring(tx: Tx) -> ScoringBody:
    """The rules by which leads are scored."""
    return await _said(tx, "scoring", ScoringBody, ScoringBody(rules=[]))


async def assignment(tx: Tx) -> AssignmentBody:
    """The rules by which leads are assigned."""
    return await _said(tx, "assignment", AssignmentBody, AssignmentBody(rules=[]))


async def closing(tx: Tx) -> ClosingBody:
    """How opportunities close."""
    return await _said(tx, "closing", ClosingBody, ClosingBody())


async def replace(tx: Tx, kind: Kind, said: Body) -> None:
    """Say all of a kind."""
    id = _id(tx, kind)
    if await tx.get(Policy, (tx.tenant_id, id)) is None:
        policy = Policy(id=id, kind=kind)
        tx.add(policy)
    else:
        policy = await tx.load(Policy, id)
    policy.say(said)


async def _said(tx: Tx, kind: Kind, body: type[AnyBody], default: AnyBody) -> AnyBody:
    kept = await tx.get(Policy, (tx.tenant_id, _id(tx, kind)))
    return default if kept is None else body.model_validate(kept.content)


def _id(tx: Tx, kind: Kind) -> UUID:
    return derived_id("opportunities.policy", tx.tenant_id, kind)
