"""Processes over HTTP: deployed, seen, activated, and tried with another matrix."""

from typing import Annotated, Any
from uuid import UUID

from fastapi import Path, Response
from sqlalchemy import select
from sqlalchemy.orm import load_only

from tailrace.core.errors import Unknown
from tailrace.http.etag import IfMatch
from tailrace.http.files.disposition import disposition
from tailrace.http.lists.filters import equal
from tailrace.http.lists.pagination import Listing, Page, PageRequest, listed, paginate
from tailrace.http.routing import Tx, tenant_router
from tailrace.jobs.routes import Job, JobView, accepted, own_job
from workflow import deploying, dry_runs, matrix, roles
from workflow.bodies import ActivationBody, DeploymentBody, DryRunBody, Key, MatrixBody, ProcessBody
from workflow.deploying import checked_matrix, version_of
from workflow.dry_runs import DryRun, DryRunChange, matrix_of
from workflow.processes import MATRIX, Files, Process, ProcessVersion
from workflow.projections import days, templates
from workflow.reactions import founding
from workflow.scopes import InstanceReader, ProcessReader, ProcessWriter
from workflow.views import (
    DryRunChangeView,
    DryRunView,
    MatrixView,
    ProcessVersionSummary,
    ProcessVersionView,
    ProcessView,
)

JOBS = "/v1/processes/jobs"

router = tenant_router(
    "/v1/processes",
    tag="processes",
    about="By which processes documents are approved: BPMN files with their decisions, in versions.",
    reads=[founding, templates, days],
)

Processes = Annotated[PageRequest, listed(Process, equal(Process.key, Key), sort=[Process.key, Process.name])]
Versions = Annotated[PageRequest, listed(ProcessVersion, sort=[ProcessVersion.number])]
DryRuns = Annotated[PageRequest, listed(DryRun, equal(DryRun.process_id), sort=[DryRun.asked_at], default="-id")]
Changes = Annotated[PageRequest, listed(DryRunChange, equal(DryRunChange.kind), sort=[DryRunChange.amount])]
Number = Annotated[int, Path(ge=1, le=10**9, description="The version, from 1.")]


class Bpmn(Response):
    """A BPMN or DMN file, which a browser saves and does not show."""

    media_type = "application/xml"


@router.post("", status_code=201, response_model=ProcessView)
async def create_process(tx: Tx, who: ProcessWriter, body: ProcessBody) -> Process:
    """Deploy a process, as its first version. Documents begin with it once it is activated."""
    process = deploying.new_process(body.key, body.name)
    tx.add(process)
    await deploying.deploy(tx, process, _files(body))
    return process


@router.get("", response_model=Page[ProcessView])
async def list_processes(tx: Tx, who: ProcessReader, page: Processes) -> Listing[Process]:
    """The company's processes."""
    return await paginate(tx, select(Process), page)


@router.get("/dry-runs", response_model=Page[DryRunView])
async def list_dry_runs(tx: Tx, who: ProcessReader, page: DryRuns) -> Listing[DryRun]:
    """Matrices that were tried, the newest first."""
    return await paginate(tx, select(DryRun), page)


@router.get("/dry-runs/{dry_run_id}", response_model=DryRunView)
async def read_dry_run(tx: Tx, who: ProcessReader, dry_run_id: UUID) -> DryRun:
    """What came of a matrix that was tried."""
    return await tx.find(DryRun, dry_run_id)


@router.get("/dry-runs/{dry_run_id}/changes", response_model=Page[DryRunChangeView])
async def list_dry_run_changes(tx: Tx, who: InstanceReader, dry_run_id: UUID, page: Changes) -> Listing[DryRunChange]:
    """The documents that the matrix would treat otherwise, in the order in which they were submitted."""
    await tx.find(DryRun, dry_run_id)
    return await paginate(tx, select(DryRunChange).where(DryRunChange.dry_run_id == dry_run_id), page)


@router.get("/{process_id}", response_model=ProcessView)
async def read_process(tx: Tx, who: ProcessReader, process_id: UUID) -> Process:
    """One process."""
    return await tx.find(Process, process_id)


@router.post("/{process_id}/versions", status_code=201, response_model=ProcessVersionView)
async def create_version(
    tx: Tx, who: ProcessWriter, match: IfMatch, process_id: UUID, body: DeploymentBody
) -> ProcessVersion:
    """Deploy another version. What runs goes on with the version that it began with."""
    process = await tx.load(Process, process_id, match)
    return await deploying.deploy(tx, process, _files(body))


@router.get("/{process_id}/versions", response_model=Page[ProcessVersionSummary])
async def list_versions(tx: Tx, who: ProcessReader, process_id: UUID, page: Versions) -> Listing[ProcessVersion]:
    """The versions of a process."""
    await tx.find(Process, process_id)
    columns = load_only(ProcessVersion.id, ProcessVersion.number, ProcessVersion.process_id)
    return await paginate(
        tx, select(ProcessVersion).where(ProcessVersion.process_id == process_id).options(columns), page
    )


@router.get("/{process_id}/versions/{number}", response_model=ProcessVersionView)
async def read_version(tx: Tx, who: ProcessReader, process_id: UUID, number: Number) -> ProcessVersion:
    """One version, and element by element what of its file runs."""
    return await version_of(tx, await tx.find(Process, process_id), number)


@router.get("/{process_id}/versions/{number}/source", response_class=Bpmn, response_model=None)
async def read_source(tx: Tx, who: ProcessReader, process_id: UUID, number: Number) -> Bpmn:
    """The BPMN file of a version, as it was deployed."""
    process = await tx.find(Process, process_id)
    return _saved((await version_of(tx, process, number)).source, f"{process.key}-{number}.bpmn")


@router.get("/{process_id}/versions/{number}/matrix", response_model=MatrixView)
async def read_matrix(tx: Tx, who: ProcessReader, process_id: UUID, number: Number) -> Any:
    """The matrix of a version, as JSON."""
    return matrix.read(await _matrix(tx, await tx.find(Process, process_id), number))


@router.get("/{process_id}/versions/{number}/matrix/source", response_class=Bpmn, response_model=None)
async def read_matrix_source(tx: Tx, who: ProcessReader, process_id: UUID, number: Number) -> Bpmn:
    """The matrix of a version, as a DMN file."""
    process = await tx.find(Process, process_id)
    return _saved(await _matrix(tx, process, number), f"{process.key}-{number}.dmn")


@router.put("/{process_id}/matrix", response_model=ProcessView)
async def replace_matrix(tx: Tx, who: ProcessWriter, match: IfMatch, process_id: UUID, body: MatrixBody) -> Process:
    """Deploy a version that differs in its matrix alone, and let documents begin with it."""
    process = await tx.load(Process, process_id, match)
    files = Files.of(await version_of(tx, process, process.active or process.latest))
    made = await deploying.deploy(tx, process, files.with_matrix(checked_matrix(body.dmn())))
    process.activate(made.number, process.kinds, roles.of_version(made))
    return process


@router.post("/{process_id}/activate", response_model=ProcessView)
async def activate_process(
    tx: Tx, who: ProcessWriter, match: IfMatch, process_id: UUID, body: ActivationBody
) -> Process:
    """Say which version documents begin with from now on, and of which kinds."""
    process = await tx.load(Process, process_id, match)
    await deploying.activate(tx, process, body.number, body.kinds)
    return process


@router.post("/{process_id}/dry-run", status_code=202, response_model=JobView)
async def try_matrix(
    tx: Tx, who: ProcessWriter, match: IfMatch, process_id: UUID, body: DryRunBody, response: Response
) -> Job:
    """Run past documents through another matrix, and list those that it would treat otherwise; the report has the job's id."""
    process = await tx.load(Process, process_id, match)
    if body.matrix is not None:
        dmn = checked_matrix(body.matrix.dmn())
    elif body.dmn is not None:
        dmn = checked_matrix(body.dmn.encode(), "/dmn")
    else:
        assert body.number is not None
        dmn = await _matrix(tx, process, body.number)
    since = await days.begin_if_said(tx, body.since)
    id = await dry_runs.start(tx, process, dmn, since)
    accepted(response, JOBS, id)
    return await own_job(tx, who, id)


def _files(body: DeploymentBody) -> Files:
    """Raises CannotRun."""
    decisions = {name: text.encode() for name, text in body.decisions.items()}
    if body.matrix is not None:
        decisions[MATRIX] = checked_matrix(body.matrix.dmn())
    return Files(body.source.encode(), decisions)


async def _matrix(tx: Tx, process: Process, number: int) -> bytes:
    """Raises Unknown."""
    dmn = matrix_of(await version_of(tx, process, number))
    if dmn is None:
        raise Unknown("Matrix", str(number))
    return dmn


def _saved(content: bytes, name: str) -> Bpmn:
    return Bpmn(content, headers={"Content-Disposition": disposition(name)})
