"""Where a request's time goes: the processor's clock is looked at a thousand times a second, and each look counts for the stage that it finds.

A look costs nothing between two looks, so nothing is made dearer by being called often, as it is under a tracing profiler.
"""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

import greenlet  # type: ignore[import-untyped]

_EVERY = 0.001
_WHOLE: tuple[tuple[str, str, str], ...] = (
    ("the bench's own client", "request/asgi.py", "receive"),
    ("line of log", "observability/logs.py", ""),
    ("metrics", "observability/metrics.py", ""),
    ("traces", "observability/tracing.py", ""),
    ("token", "http/auth.py", "principal"),
    ("answer known again (Idempotency-Key)", "http/idempotency.py", ""),
    ("ETag and headers", "tailrace/http/etag.py", ""),
    ("transaction: begin and tenant", "sqlalchemy/", "_begin_impl"),
    ("transaction: end", "sqlalchemy/", "commit"),
    ("transaction: end", "sqlalchemy/", "_do_commit"),
    ("transaction: end", "sqlalchemy/", "close"),
    ("transaction: end", "sqlalchemy/", "rollback"),
    ("transaction: begin and tenant", "db/connections/tenancy.py", "execute"),
    ("events and rows written", "tailrace/db/outbox.py", ""),
    ("view and its JSON", "fastapi/routing.py", "serialize_response"),
    ("view and its JSON", "http/protocol/endpoints.py", "written"),
    ("driver (asyncpg)", "asyncpg/", ""),
    ("driver (asyncpg)", "dialects/postgresql/asyncpg.py", ""),
    ("SQLAlchemy: statement and rows", "sqlalchemy/", ""),
    ("arguments of the endpoint", "fastapi/dependencies/utils.py", "request_params_to_args"),
    ("arguments of the endpoint", "fastapi/dependencies/utils.py", "request_body_to_args"),
)
"""By what stands anywhere among the calls, the first of them first: stage, end of a file's path or a folder in it, function."""
_INNERMOST: tuple[tuple[str, str], ...] = (
    ("middlewares", "http/protocol/middleware.py"),
    ("middlewares", "http/protocol/admission.py"),
    ("middlewares", "starlette/middleware/"),
    ("middlewares", "fastapi/middleware/"),
    ("middlewares", "fastapi/_body_limit.py"),
    ("arguments of the endpoint", "fastapi/dependencies/"),
    ("arguments of the endpoint", "http/protocol/endpoints.py"),
    ("arguments of the endpoint", "fastapi/_compat/"),
    ("middlewares", "runtime/app.py"),
    ("route found", "http/protocol/dispatch.py"),
    ("route found", "starlette/routing.py"),
    ("route found", "starlette/_utils.py"),
    ("the kit's route", "tailrace/http/"),
    ("the kit's transaction", "tailrace/db/"),
    ("FastAPI's route", "fastapi/"),
    ("FastAPI's route", "starlette/"),
    ("the bench's own client", "request/asgi.py"),
)
"""Of the rest, by the innermost call that is known."""
_ROUTING = frozenset({"matches", "_match", "effective_candidates"})


class Looks:
    def __init__(self) -> None:
        self.found: Counter[str] = Counter()

    @contextmanager
    def looking(self) -> Iterator[None]:
        """While this lasts, look. For the main thread."""
        before = signal.signal(signal.SIGPROF, lambda _, frame: self._note(frame))
        signal.setitimer(signal.ITIMER_PROF, _EVERY, _EVERY)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, before)

    def shares(self) -> dict[str, float]:
        total = sum(self.found.values())
        return {stage: round(count / total, 4) for stage, count in self.found.most_common()}

    def _note(self, frame: FrameType | None) -> None:
        self.found[stage_of(list(calls(frame)))] += 1


def calls(frame: FrameType | None) -> Iterator[tuple[str, str]]:
    """The file and the function of each call, innermost first, through the greenlets that SQLAlchemy waits in."""
    within = greenlet.getcurrent()
    while frame is not None:
        yield frame.f_code.co_filename, frame.f_code.co_name
        frame = frame.f_back
        while frame is None and within.parent is not None:
            within = within.parent
            frame = within.gr_frame


def stage_of(stack: list[tuple[str, str]]) -> str:
    for stage, place, function in _WHOLE:
        if any(place in file and function in ("", name) for file, name in stack):
            return stage
    if any(name in _ROUTING for _, name in stack):
        return "route found"
    for file, _ in stack:
        for stage, place in _INNERMOST:
            if place in file:
                return stage
    return "the event loop"
