"""/v1/meetings: when somebody talks with a customer, and what came of it."""

from typing import Annotated
from uuid import UUID

from fastapi import Query
from sqlalchemy import select

from activities import commands
from activities.bodies import MeetingBody, MeetingStatusBody, NextStepBody
from activities.meetings import Meeting
from activities.projections import customers, dates, days, users
from activities.scopes import MeetingReader, MeetingWriter, NextStepTaker
from activities.tasks import Task
from activities.views import MeetingView, TaskView
from contracts.activities import MeetingStatus
from tailrace.core.values.fields import Search
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import Deleted, any_of, between, equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.lists.searching import paginate_found
from tailrace.http.routing import Tx, tenant_router

router = tenant_router(
    "/v1/meetings",
    tag="meetings",
    about="When somebody talks with a customer, and what came of it.",
    reads=[customers, users, days, dates],
)

_NARROWED = (
    any_of(Meeting.status, MeetingStatus),
    equal(Meeting.owner_id),
    equal(Meeting.opportunity_id),
    equal(Meeting.series_id),
    *between(Meeting.starts_at, days),
)
_FILTERS = (*_NARROWED, equal(Meeting.customer_id))
_SORT = [Meeting.starts_at, Meeting.created_at, Meeting.title]
Meetings = Annotated[PageRequest, listed(Meeting, *_FILTERS, sort=_SORT)]
Found = Annotated[PageRequest, listed(Meeting, *_FILTERS, sort=_SORT)]
Theirs = Annotated[PageRequest, listed(Meeting, *_NARROWED, sort=_SORT, default="-starts_at")]
Words = Annotated[
    Search,
    Query(description="Words, or parts of them, of the title, the place, the agenda, the outcome, or who was there."),
]
_LIVE = select(Meeting).where(Meeting.deleted_at.is_(None))
_DELETED = select(Meeting).where(Meeting.deleted_at.is_not(None), ~Meeting.is_hidden)


@router.post("", status_code=201, response_model=MeetingView)
async def create_meeting(tx: Tx, who: MeetingWriter, body: MeetingBody) -> Meeting:
    """Plan a meeting with a customer; one's own, when no owner is named."""
    return await commands.create_meeting(tx, body)


@router.get("", response_model=Page[MeetingView])
async def list_meetings(tx: Tx, who: MeetingReader, page: Meetings, deleted: Deleted = False) -> Listing[Meeting]:
    """Meetings."""
    return await paginate(tx, _DELETED if deleted else _LIVE, page)


@router.get("/search", response_model=Page[MeetingView])
async def list_matching_meetings(tx: Tx, who: MeetingReader, page: Found, q: Words | None = None) -> Listing[Meeting]:
    """Meetings that have all these words, or parts of words; from two characters on anywhere, a single one where a word begins."""
    return await paginate_found(tx, _LIVE, page, Meeting, q)


@router.get("/customer/{customer_id}", response_model=Page[MeetingView])
async def list_meetings_with_customer(tx: Tx, who: MeetingReader, customer_id: UUID, page: Theirs) -> Listing[Meeting]:
    """The meetings with a customer, the newest first. 404 for a customer who is not known here."""
    await commands.require_customer(tx, customer_id)
    return await paginate(tx, _LIVE.where(Meeting.customer_id == customer_id), page)


@router.get("/{meeting_id}", response_model=MeetingView)
async def read_meeting(tx: Tx, who: MeetingReader, meeting_id: UUID) -> Meeting:
    """One meeting."""
    return await tx.find(Meeting, meeting_id)


@router.put("/{meeting_id}", response_model=MeetingView)
async def replace_meeting(tx: Tx, who: MeetingWriter, match: IfMatch, meeting_id: UUID, body: MeetingBody) -> Meeting:
    """Replace a meeting; its status stays. Of a series, this one is meant, and those that are made of it."""
    return await commands.replace_meeting(tx, meeting_id, match, body)


@router.patch("/{meeting_id}/status", response_model=MeetingView)
async def change_meeting_status(
    tx: Tx, who: MeetingWriter, match: IfMatch, meeting_id: UUID, body: MeetingStatusBody
) -> Meeting:
    """Say that a meeting was held and what came of it, that it was cancelled, or that it is planned after all."""
    return await commands.change_meeting_status(tx, meeting_id, match, body)


@router.post("/{meeting_id}/tasks", status_code=201, response_model=TaskView)
async def create_next_step(tx: Tx, who: NextStepTaker, match: IfMatch, meeting_id: UUID, body: NextStepBody) -> Task:
    """Make the meeting's next step a task, once."""
    return await commands.take_next_step(tx, meeting_id, match, body)


@router.delete("/{meeting_id}", status_code=204)
async def delete_meeting(tx: Tx, who: MeetingWriter, match: IfMatch, meeting_id: UUID) -> None:
    """Take a meeting away. A series ends with its newest one."""
    await commands.delete_meeting(tx, meeting_id, match)


@router.post("/{meeting_id}/restore", response_model=MeetingView)
async def restore_meeting(tx: Tx, who: MeetingWriter, match: IfMatch, meeting_id: UUID) -> Meeting:
    """Take a deleted meeting back, as it was; its series goes on. One that went with its customer comes back with it, by itself."""
    return await commands.restore_meeting(tx, meeting_id, match)
