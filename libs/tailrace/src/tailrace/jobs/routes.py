"""What became of a job, over HTTP: everybody sees and cancels their own, and nobody another's.

A service puts `jobs_router("/v1/notes/jobs", read)` before the routers whose paths would take `jobs` for an id. What asks for a job answers 202 and
says where it is shown: `accepted(response, "/v1/notes/jobs", id)`.
"""

from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, defer

from tailrace.core.context import Principal
from tailrace.core.errors import Refused, Unknown
from tailrace.db import tables
from tailrace.db.database import Tx as Transaction
from tailrace.http.auth import Requires, Scope
from tailrace.http.lists.filters import any_of, equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, View, tenant_router
from tailrace.jobs import kinds
from tailrace.jobs.kinds import State


class _Kit(DeclarativeBase):
    metadata = tables.metadata


class Job(_Kit):
    """The row of a job, for reading."""

    __table__ = tables.job

    id: Mapped[UUID]
    tenant_id: Mapped[UUID]
    user_id: Mapped[UUID]
    kind: Mapped[str]
    state: Mapped[str]
    checkpoint: Mapped[dict[str, Any]]
    parameters: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]


class JobEnded(Refused):
    """409: the job ended already."""

    slug, title = "job-ended", "The job has ended"


class NotFailed(Refused):
    """409: a job that is under way, or is done, is not tried again."""

    slug, title = "job-not-failed", "The job has not failed"


class JobView(View):
    """Long work, and how far it is."""

    id: UUID
    """Made when it was asked for, a UUIDv7."""
    kind: str
    """What it does, such as `customers.import`."""
    state: State
    """Whether it waits, is at work, or how it ended."""
    done: int
    """How much of `total` is done."""
    total: int | None
    """How much there is to do; null while that is not known."""
    counts: dict[str, int]
    """What became of that which is done, by kind: `created`, `refused`."""
    messages: list[str]
    """What there is to say of it, for people to read; why it failed comes last."""
    created_at: datetime
    """When it was asked for, in UTC."""
    updated_at: datetime
    """When it last got on, in UTC."""
    ended_at: datetime | None
    """When it ended, in UTC; null before that."""


def accepted(response: Response, prefix: str, id: UUID) -> None:
    """Say where the job is shown (RFC 9110, section 15.3.3)."""
    response.headers["Location"] = f"{prefix}/{id}"


async def own_job(tx: Transaction, who: Principal, id: UUID) -> Job:
    """Raises Unknown for another's too."""
    job = await tx.scalar(select(Job).where(Job.tenant_id == tx.tenant_id, Job.id == id, Job.user_id == who.user_id))
    if job is None:
        raise Unknown("Job", id)
    return job


def jobs_router(prefix: str, scope: Scope, operate: Scope | None = None) -> APIRouter:
    """Routes for the jobs of a service, under a path that the service exposes. A caller with the scope sees their own.

    With `operate`, who has that scope sees everybody's under `…/jobs/all`, ends them, and lets go on those that failed.
    """
    tag = f"{prefix.removeprefix('/v1/').removesuffix('/jobs').replace('/', ' ')} jobs"
    router = tenant_router(prefix, tag=tag, about="Long work that was asked for, and how far it is.")
    caller = Annotated[Principal, Requires(scope)]
    page_of_jobs = Annotated[
        PageRequest,
        listed(Job, any_of(Job.state, State), equal(Job.kind), sort=[Job.created_at], default="-id"),
    ]

    async def list_jobs(tx: Tx, who: caller, page: page_of_jobs) -> Listing[Job]:
        """Your own jobs, the newest first."""
        mine = select(Job).where(Job.tenant_id == tx.tenant_id, Job.user_id == who.user_id)
        return await paginate(tx, mine.options(defer(Job.checkpoint), defer(Job.parameters)), page)

    async def read_job(tx: Tx, who: caller, job_id: UUID) -> Job:
        """One of your own jobs. Those that ended are kept for thirty days."""
        return await own_job(tx, who, job_id)

    async def cancel_job(tx: Tx, who: caller, job_id: UUID) -> Job:
        """End one of your own jobs where it is. What it did up to here stays."""
        job = await own_job(tx, who, job_id)
        if not await kinds.cancel(tx, job_id):
            raise JobEnded("There is nothing left to cancel.")
        await tx.refresh(job)
        return job

    if operate is not None:
        _add_operators(router, Annotated[Principal, Requires(operate)], page_of_jobs)
    router.add_api_route("", list_jobs, methods=["GET"], response_model=Page[JobView])
    router.add_api_route("/{job_id}", read_job, methods=["GET"], response_model=JobView)
    router.add_api_route("/{job_id}/cancel", cancel_job, methods=["POST"], response_model=JobView)
    return router


def _add_operators(router: APIRouter, operator: Any, page_of_jobs: Any) -> None:
    """What is for who looks after everybody's."""

    async def list_all_jobs(tx: Tx, who: operator, page: page_of_jobs) -> Listing[Job]:
        """Everybody's jobs, the newest first; `state=failed` are those that ended without being done."""
        everybodys = select(Job).where(Job.tenant_id == tx.tenant_id)
        return await paginate(tx, everybodys.options(defer(Job.checkpoint), defer(Job.parameters)), page)

    async def cancel_any_job(tx: Tx, who: operator, job_id: UUID) -> Job:
        """End somebody's job where it is. What it did up to here stays."""
        job = await _any_job(tx, job_id)
        if not await kinds.cancel(tx, job_id):
            raise JobEnded("There is nothing left to cancel.")
        await tx.refresh(job)
        return job

    async def retry_any_job(tx: Tx, who: operator, job_id: UUID) -> Job:
        """Go on with a job that failed, from where it was."""
        job = await _any_job(tx, job_id)
        if not await kinds.retry(tx, job_id):
            raise NotFailed("Only a job that failed can be tried again.")
        await tx.refresh(job)
        return job

    router.add_api_route("/all", list_all_jobs, methods=["GET"], response_model=Page[JobView])
    router.add_api_route("/all/{job_id}/cancel", cancel_any_job, methods=["POST"], response_model=JobView)
    router.add_api_route("/all/{job_id}/retry", retry_any_job, methods=["POST"], response_model=JobView)


async def _any_job(tx: Transaction, id: UUID) -> Job:
    """Raises Unknown."""
    job = await tx.scalar(select(Job).where(Job.tenant_id == tx.tenant_id, Job.id == id))
    if job is None:
        raise Unknown("Job", id)
    return job
