"""What a person sees at the gateway: where to go, and a reference of every operation that loads nothing from any other host."""

import asyncio
import json
from functools import cache
from pathlib import Path

from fastapi import APIRouter, Request, Response

from contracts.promised import openapi as documents
from gateway.files import static
from tailrace.runtime.openapi_merge import merge_openapi

_PAGES = {
    "/": ("landing.html", "text/html; charset=utf-8"),
    "/docs": ("docs.html", "text/html; charset=utf-8"),
    "/docs/style.css": ("style.css", "text/css; charset=utf-8"),
    "/docs/reference.js": ("reference.js", "text/javascript; charset=utf-8"),
    "/docs/schema.js": ("schema.js", "text/javascript; charset=utf-8"),
    "/docs/icon.svg": ("icon.svg", "image/svg+xml"),
}
_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


@cache
def merged(folder: Path | None = None) -> bytes:
    """The OpenAPI document of the whole fleet, made of what each service promised when it is first asked for."""
    return json.dumps(merge_openapi(documents(folder)), ensure_ascii=False).encode()


def router(folder: Path | None) -> APIRouter:
    """The landing page, the reference page, and the document that it shows."""
    pages = APIRouter(include_in_schema=False)

    async def page(request: Request) -> Response:
        name, media_type = _PAGES[request.url.path]
        return Response(static(name), media_type=media_type, headers=_HEADERS)

    async def openapi() -> Response:
        document = await asyncio.to_thread(merged, folder)
        return Response(document, media_type="application/json", headers=_HEADERS)

    for path in _PAGES:
        pages.add_api_route(path, page, methods=["GET", "HEAD"])
    pages.add_api_route("/openapi.json", openapi, methods=["GET", "HEAD"])
    return pages
