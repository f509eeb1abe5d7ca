"""/v1/partners: give a system outside access to events, see, change, rotate and revoke it."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

from fastapi import Request
from pydantic import AfterValidator, Field
from sqlalchemy import select

from contracts.partners import PersonalFields
from contracts.registry import events_by_type
from partners import opening
from partners.models import Filling, Partner, Status
from partners.projections import days
from partners.scopes import Reader, Writer
from partners.views import CredentialsView, PartnerProgressView, PartnerView
from tailrace.core.errors import Invalid
from tailrace.core.values.fields import MomentOrDay, Name
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Body, Tx, tenant_router

router = tenant_router(
    "/v1/partners", tag="partners", about="Systems outside that hear of the company's events.", reads=[days]
)

PartnerPage = Annotated[
    PageRequest, listed(Partner, any_of(Partner.status, Status), sort=[Partner.name, Partner.created_at])
]


def _known(given: list[str]) -> list[str]:
    """In order, each once. Raises ValueError for one that no contract has."""
    if unknown := sorted(set(given) - events_by_type().keys()):
        raise ValueError(f"no event is called {unknown[0]}")
    return sorted(set(given))


EventTypes = Annotated[
    list[Annotated[str, Field(min_length=1, max_length=200)]],
    Field(min_length=1, max_length=1000),
    AfterValidator(_known),
]


class PartnerGrantBody(Body):
    """What it may hear."""

    types: EventTypes = Field(description="Types of events, as in `order.confirmed`.")
    personal: PersonalFields = Field(
        "omitted", description="What becomes of personal fields: left out, each value replaced, or as they are."
    )


class PartnerBody(PartnerGrantBody):
    """A partner, and what it may hear."""

    name: Name
    since: MomentOrDay | None = Field(
        None,
        description="Events from this moment on, of a plain day of the company's from its first; from the beginning, when null.",
    )


@router.post("", status_code=201, response_model=PartnerView)
async def create_partner(tx: Tx, who: Writer, body: PartnerBody) -> Partner:
    """Give a system outside a user and topics of its own, from the beginning or a moment. Both are there once its status is `open`."""
    since = await days.begin_if_said(tx, body.since)
    if since is not None and since > datetime.now(UTC):
        raise Invalid.field(
            "/since", "It lies in the future. Leave it out for all events, or send a moment that has come."
        )
    partner = Partner.register(body.name, body.types, body.personal, since)
    tx.add(partner)
    await opening.soon(tx, partner)
    return partner


@router.get("", response_model=Page[PartnerView])
async def list_partners(tx: Tx, who: Reader, page: PartnerPage) -> Listing[Partner]:
    """Systems outside that hear of events, by what they may hear."""
    return await paginate(tx, select(Partner), page)


@router.get("/{partner_id}", response_model=PartnerView)
async def read_partner(tx: Tx, who: Reader, partner_id: UUID) -> Partner:
    """One of them, with what it may hear and how far its opening is."""
    return await tx.find(Partner, partner_id)


@router.put("/{partner_id}/grant", response_model=PartnerView)
async def replace_grant(tx: Tx, who: Writer, match: IfMatch, partner_id: UUID, body: PartnerGrantBody) -> Partner:
    """Let it hear of these events from now on. What it was told before stays in its topics."""
    partner = await tx.load(Partner, partner_id, match)
    partner.grant(body.types, body.personal)
    await opening.soon(tx, partner)
    return partner


@router.get("/{partner_id}/credentials", response_model=CredentialsView)
async def read_credentials(tx: Tx, who: Writer, request: Request, partner_id: UUID) -> CredentialsView:
    """User and password, to be handed to the partner alone. They are good once its status is `open`."""
    partner = await tx.find(Partner, partner_id)
    partner.check_in_use()
    password = opening.password_of(request.app.state.settings, partner)
    return CredentialsView(user=partner.user, password=password)


@router.get("/{partner_id}/progress", response_model=PartnerProgressView)
async def read_partner_progress(tx: Tx, who: Reader, partner_id: UUID) -> PartnerProgressView:
    """How far its topics are filled, and how much it is told, as a few seconds ago."""
    partner = await tx.find(Partner, partner_id)
    row = await tx.get(Filling, partner.id)
    if row is None:
        return PartnerProgressView(behind=None, told=0, told_lately=0, looked_at=None)
    return PartnerProgressView(behind=row.behind, told=row.told, told_lately=row.lately, looked_at=row.looked_at)


@router.post("/{partner_id}/rotate", response_model=PartnerView)
async def rotate_partner(tx: Tx, who: Writer, match: IfMatch, partner_id: UUID) -> Partner:
    """Make another password. The one before is good no more, once its status is `open` again."""
    partner = await tx.load(Partner, partner_id, match)
    partner.rotate()
    await opening.soon(tx, partner)
    return partner


@router.post("/{partner_id}/revoke", response_model=PartnerView)
async def revoke_partner(tx: Tx, who: Writer, match: IfMatch, partner_id: UUID) -> Partner:
    """Take user, rights and topics away, within seconds; its status is `closed` then."""
    partner = await tx.load(Partner, partner_id, match)
    partner.revoke()
    await opening.soon(tx, partner)
    return partner
