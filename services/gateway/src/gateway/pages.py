"""What a person sees at the gateway: where to go, and a reference of every operation that loads nothing from any other host."""

import asyncio
import json
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from contracts.promised import openapi as documents
from gateway.files import static
from tailrace.runtime.openapi_merge import merge_openapi

_SCRIPT = "text/javascript; charset=utf-8"
_STYLE = "text/css; charset=utf-8"
_PAGES = {
    "/": ("landing.html", "text/html; charset=utf-8"),
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/docs/style.css": ("style.css", _STYLE),
    "/docs/reference.css": ("reference.css", _STYLE),
    "/docs/redoc-3.0.1.js": ("redoc/redoc-3.0.1.js", _SCRIPT),
    "/docs/icon.svg": ("icon.svg", "image/svg+xml"),
}
# The hash is that of nothing: an empty style element, which Redoc fills rule by rule from its own script. None with a text is let through.
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; "
    "style-src 'self' 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
"""For two megabytes whose name says which version they are."""


@cache
def merged(folder: Path | None = None) -> bytes:
    """The OpenAPI document of the whole fleet, made of what each service promised when it is first asked for."""
    return json.dumps(merge_openapi(documents(folder)), ensure_ascii=False).encode()


def router(folder: Path | None) -> APIRouter:
    """The landing page, the reference page, and the document that it shows."""
    pages = APIRouter(include_in_schema=False)

    async def page(request: Request) -> Response:
        name, media_type = _PAGES[request.url.path]
        headers = {**_HEADERS, **_FOR_EVER} if media_type == _SCRIPT else _HEADERS
        return Response(static(name), media_type=media_type, headers=headers)

    async def openapi() -> Response:
        document = await asyncio.to_thread(merged, folder)
        return Response(document, media_type="application/json", headers=_HEADERS)

    for path in _PAGES:
        pages.add_api_route(path, page, methods=["GET", "HEAD"])
    pages.add_api_route("/openapi.json", openapi, methods=["GET", "HEAD"])
    return pages
