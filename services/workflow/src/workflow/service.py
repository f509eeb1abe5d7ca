"""Workflow: who has to approve what, on `approval.events`. Documents are submitted by their owners' events, and answered by its own."""

from contracts.approvals import PUBLISHED
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from workflow import dry_runs, moving, projections, reactions, running, scopes, timers
from workflow.base import Base
from workflow.routes import approvals, delegations, instances, processes

service = Service(
    name="workflow",
    topic="approval.events",
    publishes=PUBLISHED,
    subscribers=[
        projections.days,
        projections.dates,
        # Before the copy of users: it says which roles somebody had until then.
        reactions.goings,
        projections.users,
        projections.teams,
        projections.templates,
        reactions.founding,
        reactions.submissions,
    ],
    timers=[running.clocks, running.dues, timers.leaving, timers.demotion, timers.losing],
    jobs=[dry_runs.trial, moving.migration],
    routers=[
        delegations.router,
        approvals.router,
        jobs_router(processes.JOBS, scopes.read_processes),
        instances.router,
        processes.router,
    ],
    exposes=[
        Exposed(prefix="/v1/approvals"),
        Exposed(prefix="/v1/processes", write_timeout=10.0),
    ],
    scopes=[scopes.read, scopes.write, scopes.administer, scopes.read_processes, scopes.write_processes],
    default_roles={
        "manager": ["approvals:read", "approvals:write", "processes:read"],
        "sales": ["approvals:read:own", "approvals:write:own"],
        "warehouse": ["approvals:read:own", "approvals:write:own"],
        "accountant": ["approvals:read", "approvals:write", "processes:read"],
        "viewer": ["approvals:read", "processes:read"],
    },
    released=False,
    metadata=Base.metadata,
)
