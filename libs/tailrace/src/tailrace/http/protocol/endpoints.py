"""What FastAPI does around an endpoint with each request, worked out when the route is made: its arguments, and the JSON of what it returns.

FastAPI goes through the signatures of an endpoint and of all that it depends on with every request; here that is a tree of calls, made once.
What a parameter or a body may be is still FastAPI's to say, in the same words, and its field makes the view and its JSON, each once. What only it
can do is left to it: `endpoint_of` is None for a route with files, forms or streams, with dependencies that are no plain coroutines, or with
anything but JSON for an answer.
"""

import inspect
from collections.abc import Callable, Coroutine, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Self, get_args

from fastapi import Request, Response
from fastapi.datastructures import DefaultPlaceholder
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import request_body_to_args, request_params_to_args
from fastapi.exceptions import RequestValidationError, ResponseValidationError
from fastapi.params import File, Form
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from tailrace.http.protocol.exact_json import is_json

__all__ = ["Endpoint", "endpoint_of"]

Endpoint = Callable[[Request], Coroutine[Any, Any, Response]]
_JSON = "application/json"
_WITHOUT_CONTENT = frozenset({204, 205, 304})


@dataclass(slots=True)
class _Asking:
    """A request while arguments are made of it: what FastAPI found wrong, and what each dependency has answered already."""

    request: Request
    body: Any
    errors: list[Any]
    answers: dict[Any, Any]


@dataclass(frozen=True, slots=True)
class _Parameter:
    """One of the path, the query or the head, as far as what is sent does not need FastAPI: what it is when it is left out."""

    field: Any
    name: str
    names: frozenset[str]
    """By one of which it would be sent."""
    default: Any
    """Undefined where FastAPI has to say what comes of leaving it out."""

    @classmethod
    def of(cls, field: Any) -> Self:
        info = field.field_info
        alias = info.validation_alias or field.alias
        default: Any = PydanticUndefined
        if not (info.is_required() or info.validate_default or info.default_factory) and isinstance(alias, str):
            default = PydanticUndefined if _is_model(info.annotation) else info.default
        names = {field.name, field.name.replace("_", "-"), field.alias, str(alias)}
        return cls(field, field.name, frozenset(names), default)

    def is_left_out(self, given: Mapping[str, Any]) -> bool:
        return self.default is not PydanticUndefined and not any(name in given for name in self.names)


@dataclass(frozen=True, slots=True)
class _Call:
    """An endpoint, or something that one depends on, and what it is called with."""

    call: Callable[..., Coroutine[Any, Any, Any]]
    name: str | None
    is_shared: bool
    """Called once for a request, however many depend on it."""
    within: Sequence["_Call"]
    path: Sequence[_Parameter]
    query: Sequence[_Parameter]
    headers: Sequence[_Parameter]
    body: Sequence[Any]
    requests: Sequence[str]
    """What it calls the request itself."""

    async def arguments(self, asking: _Asking) -> dict[str, Any] | None:
        """None when one of them is not as it has to be, which stands among the errors then."""
        found: dict[str, Any] = {}
        known = len(asking.errors)
        for each in self.within:
            if each.is_shared and each.call in asking.answers:
                answer = asking.answers[each.call]
            else:
                arguments = await each.arguments(asking)
                if arguments is None:
                    continue
                answer = asking.answers[each.call] = await each.call(**arguments)
            if each.name is not None:
                found[each.name] = answer
        request = asking.request
        if self.path:
            _take_words(found, asking.errors, self.path, request.path_params)
        if self.query:
            _take(found, asking.errors, self.query, request.query_params)
        if self.headers:
            _take(found, asking.errors, self.headers, request.headers)
        if self.body:
            values, errors = await request_body_to_args(list(self.body), asking.body, embed_body_fields=False)
            found.update(values)
            asking.errors.extend(errors)
        for name in self.requests:
            found[name] = request
        return found if len(asking.errors) == known else None


def _take(found: dict[str, Any], errors: list[Any], parameters: Sequence[_Parameter], given: Mapping[str, Any]) -> None:
    sent = []
    for each in parameters:
        if each.is_left_out(given):
            found[each.name] = deepcopy(each.default)
        else:
            sent.append(each.field)
    if sent:
        values, wrong = request_params_to_args(sent, given)
        found.update(values)
        errors.extend(wrong)


def _take_words(
    found: dict[str, Any], errors: list[Any], parameters: Sequence[_Parameter], given: Mapping[str, Any]
) -> None:
    """Of a path, where each is there."""
    for each in parameters:
        alias = each.field.alias
        found[each.name], wrong = each.field.validate(given[alias], {}, loc=("path", alias))
        errors.extend(wrong)


def _is_model(annotation: Any) -> bool:
    """Whether a parameter may be several, which FastAPI puts together."""
    return any(isinstance(each, type) and issubclass(each, BaseModel) for each in (annotation, *get_args(annotation)))


def endpoint_of(route: APIRoute) -> Endpoint | None:
    """What answers the requests of a route, by its endpoint; None where that is FastAPI's to do."""
    call, write = _call_of(route.dependant, route.body_field), _writer_of(route)
    if call is None or write is None or not _answers_json(route):
        return None
    takes_body = route.body_field is not None

    async def answered(request: Request) -> Response:
        body = await _body_of(request) if takes_body else PydanticUndefined
        asking = _Asking(request, body, [], {})
        arguments = await call.arguments(asking)
        if arguments is None:
            raise RequestValidationError(asking.errors, body=None if body is PydanticUndefined else body)
        answer = await call.call(**arguments)
        return answer if isinstance(answer, Response) else write(answer)

    return answered


async def _body_of(request: Request) -> Any:
    body = await request.body()
    if not body:
        return PydanticUndefined
    return await request.json() if is_json(request) else body


def _call_of(dependant: Dependant, body_field: Any) -> _Call | None:
    """None when it asks for what only FastAPI makes, or is no plain coroutine function."""
    within = [_call_of(each, body_field) for each in dependant.dependencies]
    call = dependant.call
    made_by_fastapi = (
        dependant.cookie_params,
        dependant.websocket_param_name,
        dependant.response_param_name,
        dependant.background_tasks_param_name,
        dependant.security_scopes_param_name,
        dependant.own_oauth_scopes,
        dependant.concurrency,
    )
    if call is None or any(made_by_fastapi) or not _is_coroutine(call):
        return None
    # One field is the whole body; several, or one that says so, would be members of it.
    if any(field is not body_field or isinstance(field.field_info, File | Form) for field in dependant.body_params):
        return None
    if any(_is_model(field.field_info.annotation) for field in dependant.path_params):
        return None
    known = [each for each in within if each is not None]
    if len(known) < len(within):
        return None
    return _Call(
        call,
        dependant.name,
        dependant.use_cache,
        tuple(known),
        tuple(map(_Parameter.of, dependant.path_params)),
        tuple(map(_Parameter.of, dependant.query_params)),
        tuple(map(_Parameter.of, dependant.header_params)),
        tuple(dependant.body_params),
        tuple(filter(None, (dependant.request_param_name, dependant.http_connection_param_name))),
    )


def _is_coroutine(call: Any) -> bool:
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(type(call).__call__)


def _answers_json(route: APIRoute) -> bool:
    """Whether its answers are what FastAPI makes of a `response_model` by itself."""
    told = (
        route.response_model_include,
        route.response_model_exclude,
        route.response_model_exclude_unset,
        route.response_model_exclude_defaults,
        route.response_model_exclude_none,
        route.stream_item_field,
        not route.response_model_by_alias,
    )
    return isinstance(route.response_class, DefaultPlaceholder) and not any(told)


def _writer_of(route: APIRoute) -> Callable[[Any], Response] | None:
    """What makes the response of what an endpoint returned; None where there is neither a model of it nor nothing to say."""
    status, field = route.status_code or 200, route.response_field
    if status in _WITHOUT_CONTENT:
        return lambda _: Response(status_code=status)
    if field is None:
        return None

    def written(answer: Any) -> Response:
        view, errors = field.validate(answer, {}, loc=("response",))
        if errors:
            raise ResponseValidationError(errors, body=answer)
        return Response(field.serialize_json(view), status, media_type=_JSON)

    return written
