"""A creation says where the new thing is: `Location` (RFC 9110, section 10.2.2) on a 201 whose body names an `id` that a GET route shows."""

import json
from collections.abc import Iterable, Iterator

from fastapi import Request, Response
from fastapi.routing import APIRoute


def set_location(request: Request, response: Response, route: APIRoute, siblings: Iterable[object]) -> None:
    """Fill in `Location` unless the endpoint did: beside the path that was called, or beside the thing that it was called on.

    `siblings` are the routes among which one has to show what the route answers with.
    """
    if response.status_code != 201 or "location" in response.headers or not response.body:
        return
    body = json.loads(bytes(response.body))
    if not isinstance(body, dict) or not isinstance(body.get("id"), str):
        return
    for path in _candidates(request.scope["path"], body["id"]):
        if any(_shows(each, path, route.response_model) for each in siblings):
            response.headers["Location"] = path
            return


def _candidates(called: str, id: str) -> Iterator[str]:
    yield f"{called}/{id}"
    collection, *action = called.rsplit("/", 2)
    if len(action) == 2:
        yield f"{collection}/{id}"


def _shows(route: object, path: str, model: object) -> bool:
    if not isinstance(route, APIRoute) or "GET" not in (route.methods or ()) or route.response_model is not model:
        return False
    return route.path_regex.match(path) is not None
