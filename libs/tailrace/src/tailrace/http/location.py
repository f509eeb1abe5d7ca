"""A creation says where the new thing is: `Location` (RFC 9110, section 10.2.2) on a 201 whose body names an `id` that a GET route shows."""

from collections.abc import Iterable, Iterator

from fastapi.routing import APIRoute


def location_of(called: str, id: object, model: object, siblings: Iterable[object]) -> str | None:
    """Beside the path that was called, or beside the thing that it was called on: where a GET among `siblings` shows `model`; else None."""
    routes = [route for route in siblings if isinstance(route, APIRoute)]
    shown = [route for route in routes if "GET" in (route.methods or ()) and route.response_model is model]
    paths = (path for path in _candidates(called, id) if any(route.path_regex.match(path) for route in shown))
    return next(paths, None)


def _candidates(called: str, id: object) -> Iterator[str]:
    yield f"{called}/{id}"
    collection, *action = called.rsplit("/", 2)
    if len(action) == 2:
        yield f"{collection}/{id}"
