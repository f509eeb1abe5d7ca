"""What a person sees at the gateway: where to go, and a reference of every operation that loads nothing from any other host.

Each page is compressed once, and is not sent to a browser that has it already.
"""

import asyncio
import gzip
import json
from dataclasses import dataclass
from functools import cache
from hashlib import blake2b
from pathlib import Path

from fastapi import APIRouter, Request, Response
from fastapi.routing import APIRoute

from contracts.bundle import bundle
from contracts.promised import openapi as documents
from gateway.compression import coded_tag, takes_gzip
from gateway.files import static
from gateway.screens import SCREENS
from tailrace.http.etag import not_modified
from tailrace.http.protocol.strict import StrictRoute
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


@dataclass(frozen=True, slots=True)
class _Page:
    plain: bytes
    compressed: bytes
    tag: str


@cache
def _page(body: bytes) -> _Page:
    return _Page(body, gzip.compress(body, mtime=0), f'"{blake2b(body, digest_size=8).hexdigest()}"')


def _answer(request: Request, page: _Page, media_type: str, headers: dict[str, str]) -> Response:
    headers = {**headers, "ETag": page.tag, "Vary": "Accept-Encoding"}
    response = Response(page.plain, media_type=media_type, headers=headers)
    if has_it := not_modified(request, response):
        return has_it
    if takes_gzip(request.headers):
        coded = {"ETag": coded_tag(page.tag), "Content-Encoding": "gzip"}
        return Response(page.compressed, media_type=media_type, headers={**headers, **coded})
    return response


@cache
def merged(folder: Path | None = None) -> bytes:
    """The OpenAPI document of the whole fleet, made of what each service promised when it is first asked for."""
    # Other promises than the contracts' are those of another fleet, of which the screens know nothing.
    screens = SCREENS if folder is None else ()
    return json.dumps(merge_openapi(documents(folder), screens), ensure_ascii=False).encode()


def router(folder: Path | None) -> APIRouter:
    """The landing page, the reference page, the document that it shows, and the contracts of the events.

    Documents refuse parameters. People follow links to pages, to which others add their own (`utm_source`), and pages say nothing else for them.
    """
    pages = APIRouter(include_in_schema=False, route_class=StrictRoute)

    async def page(request: Request) -> Response:
        name, media_type = _PAGES[request.url.path]
        headers = {**_HEADERS, **_FOR_EVER} if media_type == _SCRIPT else _HEADERS
        return _answer(request, _page(static(name)), media_type, headers)

    async def openapi(request: Request) -> Response:
        document = await asyncio.to_thread(lambda: _page(merged(folder)))
        return _answer(request, document, "application/json", _HEADERS)

    async def contracts(request: Request) -> Response:
        document = await asyncio.to_thread(lambda: _page(bundle()))
        return _answer(request, document, "application/json", _HEADERS)

    for path in _PAGES:
        pages.add_api_route(path, page, methods=["GET", "HEAD"], route_class_override=APIRoute)
    pages.add_api_route("/openapi.json", openapi, methods=["GET", "HEAD"])
    pages.add_api_route("/v1/contracts", contracts, methods=["GET", "HEAD"])
    return pages
