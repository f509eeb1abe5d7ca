"""What runs over HTTP: where approvals are in their processes, what went wrong, and how they move to another version."""

from typing import Annotated
from uuid import UUID

from fastapi import Response
from sqlalchemy import select

from tailrace.core import clock
from tailrace.http.etag import IfMatch
from tailrace.http.lists.filters import any_of, equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import ReasonBody, Tx, tenant_router
from tailrace.jobs.routes import Job, JobView, accepted, own_job
from workflow import commands, moving
from workflow.bodies import MessageBody, MigrationBody
from workflow.models import Approval, Instance, InstanceStatus
from workflow.processes import Process
from workflow.reactions import submissions
from workflow.refusals import InstanceEnded, NothingToRetry
from workflow.routes.processes import JOBS
from workflow.scopes import InstanceReader, InstanceWriter
from workflow.views import InstanceView, MigrationCheckView, ObstacleView

router = tenant_router(
    "/v1/processes", tag="process instances", about="Where approvals are in their processes.", reads=[submissions]
)

Instances = Annotated[
    PageRequest,
    listed(
        Instance,
        any_of(Instance.status, InstanceStatus),
        equal(Instance.process_id),
        equal(Instance.number),
        sort=[Instance.began_at],
    ),
]


@router.get("/instances", response_model=Page[InstanceView])
async def list_instances(tx: Tx, who: InstanceReader, page: Instances) -> Listing[Instance]:
    """What runs, ran, or stands still because something went wrong."""
    return await paginate(tx, select(Instance), page)


@router.get("/instances/{instance_id}", response_model=InstanceView)
async def read_instance(tx: Tx, who: InstanceReader, instance_id: UUID) -> Instance:
    """Where one approval is in its process."""
    return await tx.find(Instance, instance_id)


@router.post("/instances/{instance_id}/retry", response_model=InstanceView)
async def retry_instance(tx: Tx, who: InstanceWriter, instance_id: UUID) -> Instance:
    """Try again what went wrong. It may go wrong again: then the instance says so."""
    instance = await tx.find(Instance, instance_id)
    if instance.status != "incident":
        raise NothingToRetry("It has no incident.")
    await commands.go_on(tx, instance_id)
    return instance


@router.post("/instances/{instance_id}/cancel", response_model=InstanceView)
async def cancel_instance(tx: Tx, who: InstanceWriter, instance_id: UUID, body: ReasonBody) -> Instance:
    """End it where it is: the approval counts no more."""
    instance = await tx.find(Instance, instance_id)
    approval = await tx.load(Approval, instance_id)
    if approval.status != "pending":
        raise InstanceEnded(f"It ended at {approval.decided_at or clock.now()}.")
    await commands.void(tx, instance_id, body.reason)
    return instance


@router.post("/instances/{instance_id}/send", response_model=InstanceView)
async def send_message(tx: Tx, who: InstanceWriter, instance_id: UUID, body: MessageBody) -> Instance:
    """Say something to a process that waits for a message."""
    instance = await tx.find(Instance, instance_id)
    await commands.send(tx, instance_id, body)
    return instance


@router.post("/{process_id}/migrate", status_code=202, response_model=JobView)
async def migrate_instances(
    tx: Tx, who: InstanceWriter, match: IfMatch, process_id: UUID, body: MigrationBody, response: Response
) -> Job:
    """Move running instances to another version: each of which nothing would be lost; the job says what is in the way of the others."""
    process = await tx.load(Process, process_id, match)
    id = await moving.start(tx, process, body.number, body.ids)
    accepted(response, JOBS, id)
    return await own_job(tx, who, id)


@router.post("/{process_id}/migrate/check")
async def check_migration(
    tx: Tx, who: InstanceWriter, match: IfMatch, process_id: UUID, body: MigrationBody
) -> MigrationCheckView:
    """What a migration would do, without doing it."""
    moves, found = await moving.check(tx, await tx.load(Process, process_id, match), body.number, body.ids)
    return MigrationCheckView(would_move=moves, obstacles=[ObstacleView.model_validate(each) for each in found])
