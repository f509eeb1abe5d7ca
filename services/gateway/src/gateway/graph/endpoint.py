"""GraphQL over HTTP: `POST` for every operation, `GET` for queries, and events for subscriptions (graphql-sse, distinct connections).

What cannot be read as a GraphQL request is a problem document, as anywhere; all that is wrong with an operation is an entry of `errors` whose
`extensions.problem` is one. An operation is planned before it runs: it costs the tenant as many requests as it may make of services.
"""

import json
import re
from collections.abc import Callable
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLError,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
    execute,
    get_operation_ast,
)
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from gateway.admission import Charged
from gateway.asking import Asking
from gateway.graph.caller import Caller
from gateway.graph.documents import Documents
from gateway.graph.door import BODY_LIMIT
from gateway.graph.numbers import Written
from gateway.graph.plain import PlainFields
from gateway.graph.plan import plan_of
from gateway.graph.results import refused, shown
from gateway.graph.stream import Stream
from gateway.head import Head, names_of, pairs_of
from gateway.pace import Pace
from gateway.upload import ClientGone, Upload
from tailrace.core.errors import BadRequest, MediaTypeRefused, Problem, TooLarge
from tailrace.http.preferences import weighed
from tailrace.http.protocol.strict import refuse_unknown

_JSON, _RESPONSE = "application/json", "application/graphql-response+json"
_EVENTS = "text/event-stream"
_HEADERS = {"Cache-Control": "no-store", "Vary": "Accept", "X-Content-Type-Options": "nosniff"}
_HALF = re.compile(r"\\ud[89a-f]", re.IGNORECASE)
_FIELDS = {"query": str, "operationName": str, "variables": dict, "extensions": dict}


class Endpoint:
    """Answers what the door let in. Raises Problems for what is no GraphQL request, and for an allowance that is used up."""

    def __init__(self, schema: GraphQLSchema, asking: Asking, pace: Callable[[], Pace], *, introspection: bool) -> None:
        self._schema = schema
        self._asking = asking
        self._pace = pace
        self._documents = Documents(schema, introspection=introspection)

    async def __call__(self, head: Head, charged: Charged, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            asked = await self._asked(head, receive)
        except ClientGone:
            return
        kind = _kind(head)
        variables = asked.get("variables") or {}
        try:
            document = self._documents.get(asked.get("query"), _hash(asked))
            operation = _operation(document, asked.get("operationName"))
            _check(operation, head)
            plan = plan_of(self._schema, document, operation, variables)
        except (Problem, GraphQLError, ExceptionGroup) as why:
            status = 200 if kind == _JSON else 400
            await _answer(refused(why), status, kind, charged.rate)(scope, receive, send)
            return
        subscribes = operation.operation is OperationType.SUBSCRIPTION
        charged = charged.streaming() if subscribes else charged
        rate, caller = charged.more(max(0, plan.requests - 1)), Caller(self._asking, head, scope, charged)
        call: dict[str, Any] = {
            "context_value": caller,
            "variable_values": variables,
            "operation_name": asked.get("operationName"),
        }
        if subscribes:
            with charged.in_flight.hold(charged.key):
                await Stream(self._schema, document, call, charged.holds, self._pace(), rate).answer(receive, send)
            return
        result = execute(self._schema, document, executor_class=PlainFields, **call)
        result = result if isinstance(result, ExecutionResult) else await result
        recorded = {"Tailrace-Event": ", ".join(caller.events)} if caller.events else {}
        await _answer(shown(result), 200, kind, {**rate, **recorded})(scope, receive, send)

    async def _asked(self, head: Head, receive: Receive) -> dict[str, Any]:
        """The members of a request. Raises BadRequest, MediaTypeRefused, TooLarge, ClientGone."""
        if head.method == "GET":
            given = pairs_of(head.query)
            asked: dict[str, Any] = dict(given)
            refuse_unknown(asked, frozenset(_FIELDS))
            if len(asked) < len(given):
                raise BadRequest("Each parameter of a GraphQL request is given once.", field="?")
            for name in {"variables", "extensions"} & asked.keys():
                asked[name] = _decoded(asked[name], f"?{name}")
            return _well_formed(asked)
        refuse_unknown(names_of(head.query), frozenset())
        if any(name == b"content-encoding" for name, _ in head.headers):
            raise MediaTypeRefused("Send the body without a Content-Encoding.", field="Content-Encoding")
        media_type = next((value for name, value in head.headers if name == b"content-type"), b"")
        if media_type.partition(b";")[0].strip().lower() != _JSON.encode():
            raise MediaTypeRefused("A GraphQL request is JSON.", accept=_JSON)
        if head.length is not None and head.length > BODY_LIMIT:
            raise TooLarge(BODY_LIMIT)
        upload = Upload(receive, BODY_LIMIT, self._pace())
        await upload.read_ahead(head.has_body)
        return _well_formed(_decoded(upload.ahead, ""))


def _decoded(text: str | bytes, field: str) -> Any:
    try:
        said = text if isinstance(text, str) else text.decode("utf-8-sig")
        value = json.loads(said, object_pairs_hook=_once, parse_constant=_no_number, parse_float=Written)
        if _HALF.search(said):
            # Half a character can be written as an escape, and nothing that is sent on or answered can hold it.
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError) as error:
        raise BadRequest("This is not JSON, or names a member twice.", field=field) from error
    return value


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(made := dict(pairs)) < len(pairs):
        raise ValueError("a member twice")
    return made


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no number of JSON")


def _well_formed(asked: Any) -> dict[str, Any]:
    if not isinstance(asked, dict):
        raise BadRequest("A GraphQL request is a JSON object.", field="")
    for name, value in asked.items():
        kind = _FIELDS.get(name)
        if kind is None or not (value is None or isinstance(value, kind)):
            raise BadRequest("No member of a GraphQL request, or none of this kind.", field=f"/{name[:50]}")
    return asked


def _hash(asked: dict[str, Any]) -> str | None:
    persisted = (asked.get("extensions") or {}).get("persistedQuery")
    if persisted is None:
        return None
    found = persisted.get("sha256Hash") if isinstance(persisted, dict) else None
    if not isinstance(found, str):
        raise BadRequest("A persisted query has a hash.", field="/extensions/persistedQuery/sha256Hash")
    return found


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    operation = get_operation_ast(document, name)
    if operation is None:
        raise BadRequest("Name one of the document's operations.", field="/operationName")
    return operation


def _check(operation: OperationDefinitionNode, head: Head) -> None:
    """Whether an operation may come in this way. Raises BadRequest."""
    if operation.operation is OperationType.MUTATION and head.method == "GET":
        raise BadRequest("By GET nothing is written.", field="/query")
    # Some clients say of every operation all that they can read.
    takes = weighed(Headers(raw=head.headers), "accept")
    if operation.operation is OperationType.SUBSCRIPTION:
        fits = takes.get(_EVENTS, 0) > 0
    else:
        fits = not takes.get(_EVENTS) or any(takes.get(kind) for kind in (_RESPONSE, _JSON, "application/*", "*/*"))
    if not fits:
        raise BadRequest("A subscription is answered as text/event-stream, and nothing else is.", field="Accept")


def _kind(head: Head) -> str:
    """The media type that is answered (GraphQL over HTTP, 6): of the two, what the client likes better."""
    takes = weighed(Headers(raw=head.headers), "accept")
    return _RESPONSE if takes.get(_RESPONSE, 0) > 0 and takes[_RESPONSE] >= takes.get(_JSON, 0) else _JSON


def _answer(said: dict[str, Any], status: int, kind: str, headers: dict[str, str]) -> Response:
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":")).encode()
    return Response(body, status, {**_HEADERS, **headers}, kind)
