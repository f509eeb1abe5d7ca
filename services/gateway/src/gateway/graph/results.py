"""What a client is told of an execution: `data` as the services said it, and every error with the problem document that it stands for."""

from collections.abc import Iterable
from typing import Any

from graphql import ExecutionResult, GraphQLError

from gateway.asking import said_of
from tailrace.core.errors import Problem
from tailrace.http.protocol.problem_details import MOST_ERRORS
from tailrace.observability.logs import log

_DOCUMENT = {"type": "urn:tailrace:problem:bad-document", "title": "Not what the schema allows", "status": 400}
_ANSWER = {
    "type": "urn:tailrace:problem:bad-gateway",
    "title": "The service answered otherwise than promised",
    "status": 502,
}
_INTERNAL = {"type": "urn:tailrace:problem:internal", "title": "Something went wrong", "status": 500}
_LONGEST = 300
"""Characters of a message: what a client called something comes back in some, and may be as long as its request."""
Refused = Problem | GraphQLError | ExceptionGroup[GraphQLError]


def shown(result: ExecutionResult) -> dict[str, Any]:
    """An execution's outcome as GraphQL over HTTP has it."""
    said: dict[str, Any] = {"data": result.data}
    if not result.errors:
        return said
    if (count := len(result.errors)) > MOST_ERRORS:
        # One refusal of a service is an error of each row that it leaves out, and there may be thousands of those.
        said["extensions"] = {"errors": {"count": count, "shown": MOST_ERRORS}}
    return {"errors": [_error(each, _ANSWER) for each in result.errors[:MOST_ERRORS]], **said}


def refused(why: Refused) -> dict[str, Any]:
    """An operation that did not run."""
    if isinstance(why, Problem):
        return {"errors": [{"message": why.detail or why.title, "extensions": {"problem": said_of(why)}}]}
    errors: Iterable[GraphQLError] = [why] if isinstance(why, GraphQLError) else why.exceptions  # type: ignore[assignment]
    return {"errors": [_error(each, _DOCUMENT) for each in errors]}


def _error(error: GraphQLError, otherwise: dict[str, Any]) -> dict[str, Any]:
    """With its problem, `otherwise` where it has none of its own. What went wrong in the gateway itself is logged, and not told."""
    cause = error.original_error
    if cause is not None and not isinstance(cause, GraphQLError):
        log.error("a field failed", field=str(error.path), exc_info=cause)
        error = GraphQLError(_INTERNAL["title"], nodes=error.nodes, path=error.path, extensions={"problem": _INTERNAL})  # type: ignore[arg-type]
    said: dict[str, Any] = dict(error.formatted)
    message = error.message
    said["message"] = message if len(message) <= _LONGEST else f"{message[: _LONGEST - 1]}…"
    extensions = said.get("extensions") or {}
    if "problem" not in extensions:
        said["extensions"] = {**extensions, "problem": {**otherwise, "detail": said["message"]}}
    return said
