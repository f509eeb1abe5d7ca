"""Every refusal is a problem document (RFC 9457) that names the field at fault; no stack trace ever leaves a service."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm.exc import StaleDataError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match

from tailrace.core.errors import BadRequest, FieldProblem, Invalid, Problem, Refused, TooLarge, Unavailable
from tailrace.core.values.wire import REPEATED, WrongFields
from tailrace.db.error_classes import is_transient, is_uncertain, is_unstorable
from tailrace.db.unique import refusal_of
from tailrace.db.violations import violation_of
from tailrace.http.protocol.exact_json import WHOLE_BODY
from tailrace.observability.logs import log

MEDIA_TYPE = "application/problem+json"
MOST_ERRORS = 50
_LONGEST = 300
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
"""What HTTP has and a route may."""


class ProblemView(BaseModel):
    """RFC 9457 problem details, as every error answer carries them."""

    model_config = ConfigDict(use_attribute_docstrings=True)

    type: str = Field(examples=["urn:tailrace:problem:invalid"])
    """The kind of problem, a URN: decide by this."""
    title: str
    """The kind of problem in a few words, always the same for one `type`."""
    status: int
    """The HTTP status of the answer."""
    detail: str | None = None
    """What is wrong with this request, for people to read."""
    instance: str | None = None
    """The path that was asked for."""
    request_id: str | None = None
    """Also the answer's `X-Request-Id`; finds the request in the logs."""
    errors: list[FieldProblem] = []
    """The fields at fault; empty when it is not about one."""


def answer(problem: Problem, request: Request) -> JSONResponse:
    """The problem as a response."""
    view = shown(problem, request)
    return JSONResponse(view.model_dump(exclude_none=True), problem.status, problem.headers, media_type=MEDIA_TYPE)


def shown(problem: Problem, request: Request, most: int = MOST_ERRORS) -> ProblemView:
    """What a client is told of it: at most so many errors. `instance` is the path asked for."""
    detail = problem.detail
    if len(problem.errors) > most:
        detail = f"{detail} ({len(problem.errors)} errors, of which the first {most} are named)"
    named = [FieldProblem(field=_short(e.field), detail=_short(e.detail)) for e in problem.errors[:most]]
    return ProblemView(
        type=f"urn:tailrace:problem:{problem.slug}",
        title=problem.title,
        status=problem.status,
        detail=_short(detail, 3 * _LONGEST) or None,
        instance=_short(request.scope["path"]),
        request_id=getattr(request.state, "request_id", None),
        errors=named,
    )


def _short(text: str, most: int = _LONGEST) -> str:
    """What of it is answered: a client's own words come back in some, and may be as long as its request, or no text at all."""
    cut = text if len(text) <= most else f"{text[: most - 1]}…"
    return cut.encode("utf-8", "replace").decode()


def install(app: FastAPI) -> None:
    """Make every error of `app` a problem document."""
    app.add_exception_handler(Problem, lambda request, error: answer(_as(Problem, error), request))
    app.add_exception_handler(RequestValidationError, lambda request, error: answer(_from_validation(error), request))
    app.add_exception_handler(HTTPException, lambda request, error: answer(_from_http(error, request), request))
    app.add_exception_handler(Exception, lambda request, error: answer(problem_of(error), request))
    for kind in (StaleDataError, IntegrityError, DBAPIError, OSError, TimeoutError, ClientDisconnect):
        app.add_exception_handler(kind, lambda request, error: answer(problem_of(error), request))


def _as(kind: type[Problem], error: Exception) -> Problem:
    assert isinstance(error, kind)
    return error


def _from_validation(error: Exception) -> Problem:
    assert isinstance(error, RequestValidationError)
    found = error.errors()
    if any(e["type"] == "json_invalid" for e in found):
        errors = [FieldProblem(field=_pointer(e["loc"]), detail=_said_of(e)) for e in found]
        return BadRequest("The body is not JSON.", errors=errors)
    return invalid(found)


def invalid(found: Sequence[Any]) -> Invalid:
    """What pydantic found, each under `loc` from where it stands in the request on: `("body", "items", 3, "name")`."""
    errors = [FieldProblem(field=field, detail=_said_of(e)) for e in found for field in fields_of(e)]
    return Invalid("; ".join(f"{_short(e.field)}: {e.detail}" for e in errors[:3]), errors=errors)


def _said_of(error: Any) -> str:
    return "Stands more than once" if error.get("input") is REPEATED else str(error["msg"])


def fields_of(error: Any) -> Sequence[str]:
    """What it is about, under its `loc` as `invalid` has it; of several fields that a model said it of, each."""
    place = _pointer(error["loc"])
    cause = error.get("ctx", {}).get("error")
    return [f"{place}/{name}" for name in cause.fields] if isinstance(cause, WrongFields) and cause.fields else [place]


_KEY = "[key]"
"""What pydantic writes behind a name that is wrong itself."""


def _pointer(location: Sequence[Any]) -> str:
    where, *path = location
    if path and path[-1] == _KEY:
        path.pop()
    if where == "body":
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return ".".join(map(str, path)) or str(where)


class _FromHttp(Problem):
    def __init__(self, error: HTTPException) -> None:
        super().__init__(error.detail, headers=dict(error.headers or {}))
        self.status = error.status_code
        if error.status_code == TooLarge.status:
            self.title, self.slug = TooLarge.title, TooLarge.slug
            return
        self.title = HTTPStatus(error.status_code).phrase
        self.slug = self.title.lower().replace(" ", "-")


def _from_http(error: Exception, request: Request) -> Problem:
    assert isinstance(error, HTTPException)
    problem = _FromHttp(error)
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        problem.headers["Allow"] = ", ".join(_allowed(request))
    return problem


def _allowed(request: Request) -> list[str]:
    """Every method of the path (RFC 9110, 10.2.1). The router names those of one route, and a path has a route for each."""
    scopes = [{**request.scope, "method": method} for method in METHODS]
    routes = request.app.router.routes
    found = {scope["method"] for scope in scopes if any(route.matches(scope)[0] is Match.FULL for route in routes)}
    return [method for method in METHODS if method in found or (method == "HEAD" and "GET" in found)]


def problem_from(error: Exception) -> Problem:
    """What to answer to any error of a route that was found."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, RequestValidationError):
        return _from_validation(error)
    return _FromHttp(error) if isinstance(error, HTTPException) else problem_of(error)


def problem_of(error: Exception) -> Problem:
    """What to answer to an unforeseen error. What is said of it goes to the log alone."""
    if isinstance(error, ClientDisconnect):
        return BadRequest("The body broke off.", field=WHOLE_BODY)
    if isinstance(error, StaleDataError):
        log.info("conflict", error=type(error).__name__)
        return Refused("It was changed at the same moment.")
    if isinstance(error, IntegrityError):
        return _from_violation(error)
    if is_unstorable(error):
        log.info("unstorable", error=type(error).__name__)
        return Invalid("A value holds a character or a number that cannot be stored.")
    if is_transient(error) or is_uncertain(error):
        log.warning("unavailable", error=type(error).__name__, reason=str(error)[:200])
        return Unavailable("The database does not answer; try again shortly.")
    log.error("internal error", error=type(error).__name__, exc_info=error)
    return Problem()


def _from_violation(error: IntegrityError) -> Problem:
    """A unique value is the client's affair, and named. That any other constraint let something through to it is a mistake of ours."""
    violation = violation_of(error)
    where = {"constraint": violation.constraint, "table": violation.table, "columns": violation.columns}
    if not violation.is_unique:
        log.error("integrity violated", sqlstate=violation.sqlstate, **where, exc_info=error)
        return Problem()
    log.info("conflict", error=type(error).__name__, **where)
    return refusal_of(error) or Refused("It was changed at the same moment, or exists already.")
