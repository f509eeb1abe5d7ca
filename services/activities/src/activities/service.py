"""Activities: meetings with customers and the tasks of those who sell, on `sales.events`."""

from activities import following, imports, projections, public, reactions, scopes, timers
from activities.models import Base
from activities.routes import feeds, meetings, tasks
from contracts.activities import PUBLISHED
from tailrace.jobs.routes import jobs_router
from tailrace.service import Exposed, Service
from tailrace.transfer.routes import LARGEST, imports_router

service = Service(
    name="activities",
    topic="sales.events",
    publishes=PUBLISHED,
    subscribers=[
        projections.days,
        projections.dates,
        projections.teams,
        projections.users,
        projections.customers,
        reactions.goings,
    ],
    timers=[
        timers.due_soon,
        timers.task_series,
        timers.reminder,
        timers.meeting_series,
        timers.replanning,
        following.turn,
        following.handover,
    ],
    imports=[imports.tasks],
    routers=[
        jobs_router("/v1/tasks/jobs", scopes.read_tasks),
        imports_router(imports.tasks, "/v1/tasks", scopes.read_tasks, scopes.write_tasks),
        tasks.router,
        meetings.router,
        public.router,
        feeds.router,
    ],
    exposes=[
        Exposed(prefix="/v1/tasks"),
        Exposed(prefix="/v1/tasks/import", body_limit=LARGEST, write_timeout=60.0),
        Exposed(prefix="/v1/meetings"),
        Exposed(prefix="/v1/calendar-feeds"),
        Exposed(prefix=feeds.PUBLIC, public=True),
    ],
    scopes=[
        scopes.read_meetings,
        scopes.write_meetings,
        scopes.read_tasks,
        scopes.write_tasks,
        scopes.set_lead_time,
    ],
    default_roles={
        "sales": ["meetings:read", "meetings:write", "tasks:read", "tasks:write"],
        "manager": ["meetings:read", "meetings:write", "tasks:read", "tasks:write"],
        "viewer": ["meetings:read", "tasks:read"],
    },
    released=False,
    metadata=Base.metadata,
)
