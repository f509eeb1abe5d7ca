"""Delegations over HTTP."""

from typing import Annotated
from uuid import UUID

from sqlalchemy import select

from tailrace.core.errors import Unknown
from tailrace.http.auth import check_scopes
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import between, equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router
from tailrace.messaging.replica import by_ids
from workflow import delegations
from workflow.bodies import DelegationBody
from workflow.delegations import Delegation
from workflow.projections import UserCopy, dates, days, users
from workflow.scopes import Reader, Writer, administer
from workflow.views import DelegationView

router = tenant_router(
    "/v1/approvals/delegations",
    tag="delegations",
    about="Who decides in whose place, from when until when.",
    reads=[users, days, dates],
)

Delegations = Annotated[
    PageRequest,
    listed(
        Delegation,
        equal(Delegation.user_id),
        equal(Delegation.to_user_id),
        equal(Delegation.ended),
        *between(Delegation.ends_at, days),
        sort=[Delegation.begins_at, Delegation.ends_at],
    ),
]


@router.post("", status_code=201, response_model=DelegationView)
async def create_delegation(tx: Tx, who: Writer, body: DelegationBody) -> Delegation:
    """Let another decide in one's own place, for a while; with `approvals:administer`, in the place of somebody who is away and did not say so."""
    user_id = body.user_id or who.user_id
    if user_id != who.user_id:
        check_scopes(who, [administer])
        (await by_ids(tx, UserCopy, {user_id})).in_use(user_id, "/user_id")
    begins_at, ends_at = await days.begin_of(tx, body.begins_at), await days.end_of(tx, body.ends_at)
    return await delegations.delegate(tx, user_id, body.to_user_id, begins_at, ends_at, body.reason)


@router.get("", response_model=Page[DelegationView])
async def list_delegations(tx: Tx, who: Reader, page: Delegations) -> Listing[Delegation]:
    """Who decides in whose place; those that are over too."""
    return await paginate(tx, select(Delegation), page)


@router.get("/{delegation_id}", response_model=DelegationView)
async def read_delegation(tx: Tx, who: Reader, delegation_id: UUID) -> Delegation:
    """One delegation."""
    return await tx.find(Delegation, delegation_id)


@router.post("/{delegation_id}/end", response_model=DelegationView)
async def end_delegation(tx: Tx, who: Writer, match: IfMatch, delegation_id: UUID) -> Delegation:
    """End one's own delegation, or one that was given to the caller."""
    delegation = await tx.load(Delegation, delegation_id, match)
    if who.user_id not in {delegation.user_id, delegation.to_user_id}:
        raise Unknown("Delegation", delegation_id)
    delegation.end()
    return delegation
