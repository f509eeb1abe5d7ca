"""Toys with a mistake in what they offer over HTTP."""

from broken.toy import ROUTES, SERVICE, toy

_POINTS = 'points = tenant_router("/v1/points", tag="points", about="What was given.")'
_SHELF = 'shelf = tenant_router("/v1/products", tag="products", about="What points buy.", reads=[products])'
_SHOW = "async def list_products(tx: Tx, who: Reader, page: Products) -> Listing[Product]:"
_PAGINATE = "return await paginate(tx, select(Product), page)"
_RELABEL = "async def replace_card(tx: Tx, who: Writer, match: IfMatch, card_id: UUID, body: Label) -> Card:"
_LOAD = "    card = await tx.load(Card, card_id, match)\n    card.relabel(body.label)\n"
_CLOSE = "    card.close()\n"
_STAMPS = "    card = await tx.find(Card, card_id)\n    return StampsView(texts=[stamp.text for stamp in card.stamps])"
_ISSUE = "async def create_card(tx: Tx, who: Writer, body: NewCard) -> Card:\n"
_SQL = "from sqlalchemy import select\n"
_BALANCE = "    found = await tx.get(Account, (tx.tenant_id, points_id))\n"


def _other_key(key: str) -> str:
    """A router whose routes exchange the client's key for another before the kit reads it."""
    return f"""from hashlib import sha256
from fastapi import APIRouter
from tailrace.http.routing import TenantRoute


class OtherKey(TenantRoute):
    def get_route_handler(self):  # type: ignore
        handler = super().get_route_handler()

        async def handle(request):  # type: ignore
            scope = request.scope
            given = dict(scope["headers"]).get(b"idempotency-key", b"").strip()
            rest = [pair for pair in scope["headers"] if pair[0] != b"idempotency-key"]
            asked = sha256(scope["query_string"] + await request.body()).hexdigest().encode()
            scope["headers"] = [*rest, (b"idempotency-key", {key})]
            return await handler(request)

        return handle


points = APIRouter(prefix="/v1/points", tags=["points"], route_class=OtherKey)"""


TOYS = (
    toy(
        "an operation that nobody uses",
        "every_operation_is_walked",
        "GET /v1/products/{product_id} is not walked",
        (
            ROUTES,
            '@shelf.get("", response',
            (
                '@shelf.get("/{product_id}", response_model=ProductView)\n'
                "async def read_product(tx: Tx, who: Reader, product_id: UUID) -> Product:\n"
                "    return await tx.find(Product, product_id)\n\n\n"
                '@shelf.get("", response'
            ),
        ),
    ),
    toy(
        "a router that takes a word of another one for an id",
        "a_word_in_a_path_is_no_id",
        "PUT /v1/cards/best answers 422, for the path of /v1/cards/{card_id}",
        (
            ROUTES,
            '@cards.post("", status_code=201',
            (
                'best = tenant_router("/v1/cards", tag="best", about="The best card.")\n\n\n'
                '@best.get("/best", response_model=CardView)\n'
                "async def read_best(tx: Tx, who: Reader) -> Card:\n"
                "    return (await tx.scalars(select(Card))).one()\n\n\n"
                "cards.route_class.matches = APIRoute.matches\n\n\n"
                '@cards.post("", status_code=201'
            ),
        ),
        (
            ROUTES,
            "from sqlalchemy import select\n",
            "from fastapi.routing import APIRoute\nfrom sqlalchemy import select\n",
        ),
        (SERVICE, "routers=[", "routers=[routes.best, "),
    ),
    toy(
        "an operation for anybody that is not exposed as public",
        "operations_are_the_kits_or_public_by_manifest",
        "GET /v1/card-terms answers anybody",
        (SERVICE, ", public=True", ""),
    ),
    toy(
        "an operation that the gateway does not know",
        "every_operation_is_exposed",
        "POST /v1/points is under no prefix",
        (SERVICE, '        Exposed(prefix="/v1/points"),\n', ""),
    ),
    toy(
        "a route that asks for no token",
        "anonymous_gets_401",
        "GET /v1/products answers 200 to somebody without a token",
        (
            ROUTES,
            _SHELF,
            (
                "from fastapi import APIRouter\n"
                "from tailrace.http.protocol.strict import StrictRoute\n"
                "from tailrace.http.routing import TenantRoute\n\n\n"
                "class Open(TenantRoute):\n"
                "    get_route_handler = StrictRoute.get_route_handler\n\n\n"
                'shelf = APIRouter(prefix="/v1/products", route_class=Open)'
            ),
        ),
        (
            ROUTES,
            f"{_SHOW}\n    {_PAGINATE}",
            "async def list_products(page: Products) -> Listing[Product]:\n    return Listing([], None)",
        ),
    ),
    toy(
        "a public prefix over operations that are not",
        "anonymous_gets_401",
        "GET /v1/products answers 200 to somebody without a token",
        (SERVICE, 'Exposed(prefix="/v1/products")', 'Exposed(prefix="/v1/products", public=True)'),
        (
            ROUTES,
            _SHELF,
            (
                "from fastapi import APIRouter\n"
                "from tailrace.http.protocol.strict import StrictRoute\n"
                "from tailrace.http.routing import TenantRoute\n\n\n"
                "class Open(TenantRoute):\n"
                "    get_route_handler = StrictRoute.get_route_handler\n\n\n"
                'shelf = APIRouter(prefix="/v1/products", route_class=Open)'
            ),
        ),
        (
            ROUTES,
            f"{_SHOW}\n    {_PAGINATE}",
            "async def list_products(page: Products) -> Listing[Product]:\n    return Listing([], None)",
        ),
    ),
    toy(
        "a write for whoever is logged in",
        "no_scope_gets_403",
        "PUT /v1/cards/{card_id} answers 200 to a token without scopes",
        (ROUTES, _RELABEL, _RELABEL.replace("Writer", "Anybody")),
    ),
    toy(
        "somebody else's card declared one's own",
        "no_scope_gets_403",
        "GET /v1/cards/{card_id} is declared the caller's own, and takes an id",
        (
            ROUTES,
            '@cards.get("/{card_id}", response_model=CardView)',
            '@cards.get("/{card_id}", response_model=CardView, openapi_extra={"x-policy": "own"})',
        ),
    ),
    toy(
        "a read that shows other tenants an empty card",
        "another_tenant_gets_404",
        "GET /v1/cards/{card_id}/stamps answers 200 to another tenant",
        (
            ROUTES,
            _STAMPS,
            (
                "    card = await tx.get(Card, (tx.tenant_id, card_id))\n"
                "    return StampsView(texts=[stamp.text for stamp in card.stamps] if card else [])"
            ),
        ),
    ),
    toy(
        "a write that makes what is missing",
        "another_tenant_gets_404",
        "PUT /v1/cards/{card_id} changed",
        (
            ROUTES,
            _LOAD,
            (
                "    card = await tx.get(Card, (tx.tenant_id, card_id))\n"
                "    if card is None:\n"
                '        card = Card.issue(card_id, str(card_id), "a@b.example", "x", [])\n'
                "        tx.add(card)\n"
                "    card.relabel(body.label)\n"
            ),
        ),
    ),
    toy(
        "an id that is read by hand",
        "unknown_ids_get_404_and_malformed_ones_422",
        "GET /v1/points/{points_id} takes points_id as text",
        (ROUTES, "points_id: UUID) -> Account:\n", "points_id: str) -> Account:\n"),
        (ROUTES, _BALANCE, "    found = await tx.get(Account, (tx.tenant_id, UUID(points_id)))\n"),
    ),
    toy(
        "an unknown id that is no error",
        "unknown_ids_get_404_and_malformed_ones_422",
        "GET /v1/points/{points_id} answers 200 to an id that is unknown",
        (
            ROUTES,
            '        raise Unknown("Account", points_id)\n',
            "        return Account(id=points_id, total=0, version=0)\n",
        ),
    ),
    toy(
        "a POST that makes up a key",
        "post_needs_an_idempotency_key",
        "POST /v1/points answers 201 without an Idempotency-Key",
        (ROUTES, _POINTS, _other_key("given or str(uuid7()).encode()")),
    ),
    toy(
        "a POST that forgets its key",
        "a_write_is_replayed_under_its_key",
        "POST /v1/points had a second effect under one key",
        (ROUTES, _POINTS, _other_key("given and str(uuid7()).encode()")),
    ),
    toy(
        "a key for as many requests as one likes",
        "a_key_belongs_to_one_request",
        "POST /v1/points answers 400 to a changed request under the same key",
        (ROUTES, _POINTS, _other_key("given and given + asked")),
    ),
    toy(
        "a write that takes no If-Match",
        "a_stale_if_match_gets_412",
        "PUT /v1/cards/{card_id} writes to something that has a version, and takes no If-Match",
        (ROUTES, _RELABEL, _RELABEL.replace("match: IfMatch, ", "")),
        (ROUTES, _LOAD, _LOAD.replace(", match", "")),
    ),
    toy(
        "a write that does not look at If-Match",
        "a_stale_if_match_gets_412",
        "PUT /v1/cards/{card_id} answers 200 to a stale If-Match",
        (ROUTES, _LOAD, _LOAD.replace(", match", "")),
    ),
    toy(
        "a version without an ETag",
        "a_version_is_the_etag",
        "GET /v1/cards/{card_id} shows version 1 and sends the ETag None",
        (
            ROUTES,
            '@cards.get("/{card_id}", response_model=CardView)',
            '@cards.get("/{card_id}", response_model=CardView | StampsView)',
        ),
    ),
    toy(
        "a body that passes over what it does not know",
        "injected_fields_are_refused",
        "PUT /v1/cards/{card_id} answers 200 to a body with /tenant_id",
        (
            ROUTES,
            "class Label(Body):\n",
            'from pydantic import ConfigDict\n\n\nclass Label(Body):\n    model_config = ConfigDict(extra="ignore")\n\n',
        ),
    ),
    toy(
        "an operation that takes any query parameter",
        "unknown_query_parameters_get_400",
        "GET /v1/card-terms answers 200 to a query parameter that it does not have",
        (
            ROUTES,
            'terms = public_router(tag="terms", about="What holds for everybody.")',
            'terms = APIRouter(tags=["terms"])',
        ),
        (ROUTES, _SQL, f"from fastapi import APIRouter\n{_SQL}"),
    ),
    toy(
        "an error in words of its own",
        "every_error_is_a_problem",
        "POST /v1/cards/{card_id}/close (again) answers 409 without problem details",
        (
            ROUTES,
            _CLOSE,
            f'    if card.closed:\n        return JSONResponse({{"error": "closed"}}, 409)  # type: ignore\n{_CLOSE}',
        ),
        (
            ROUTES,
            _SQL,
            f"from fastapi.responses import JSONResponse\n{_SQL}",
        ),
    ),
    toy(
        "an error that nobody foresaw",
        "every_error_is_a_problem",
        "POST /v1/cards/{card_id}/close (again) answers 500",
        (ROUTES, _CLOSE, f'    if card.closed:\n        raise RuntimeError("closed")\n{_CLOSE}'),
    ),
    toy(
        "a read that leaves a trace",
        "a_read_changes_nothing",
        "GET /v1/cards/{card_id}/stamps changes card, outbox",
        (
            ROUTES,
            "async def read_stamps(tx: Tx, who: Reader, card_id: UUID) -> StampsView:\n",
            (
                "async def read_stamps(request: Request, tx: Tx, who: Reader, card_id: UUID) -> StampsView:\n"
                "    await tx.find(Card, card_id)\n"
                "    async with request.app.state.database.transaction(tx.context) as own:\n"
                "        (await own.load(Card, card_id)).relabel('seen')\n"
            ),
        ),
        (ROUTES, _SQL, f"from fastapi import Request\n{_SQL}"),
    ),
    toy(
        "an event in a transaction of its own",
        "a_write_names_its_events",
        "POST /v1/cards recorded 2 events and names 1",
        (
            ROUTES,
            _ISSUE,
            (
                "async def create_card(request: Request, tx: Tx, who: Writer, body: NewCard) -> Card:\n"
                "    async with request.app.state.database.transaction(tx.context) as own:\n"
                '        own.add(Card.issue(who.user_id, f"{uuid7()}", body.email, "twin", []))\n'
            ),
        ),
        (ROUTES, _SQL, f"from fastapi import Request\n{_SQL}"),
    ),
    toy(
        "an event that lost its trace",
        "trace_context_reaches_the_outbox",
        "POST /v1/cards recorded toyshop.card.issued without the request's traceparent",
        (
            ROUTES,
            _ISSUE,
            (
                f"{_ISSUE}    from tailrace.core.context import Context\n\n"
                f"    tx.context = Context(tenant_id=tx.tenant_id, user_id=who.user_id)\n"
            ),
        ),
    ),
    toy(
        "a list that passes over its cursor",
        "a_list_pages_by_cursor",
        "GET /v1/products answers 200 to {'cursor': 'no-cursor'}",
        (
            ROUTES,
            _PAGINATE,
            (
                "from dataclasses import replace\n\n"
                "    return await paginate(tx, select(Product), replace(page, cursor=None))"
            ),
        ),
    ),
    toy(
        "a list that drops every other row",
        "a_list_pages_by_cursor",
        "GET /v1/cards leaves rows out between pages",
        (
            ROUTES,
            "return await paginate(tx, select(Card), page)",
            (
                "if page.cursor is None:\n"
                "        return await paginate(tx, select(Card), page)\n"
                '    return await paginate(tx, select(Card).where(Card.number != "C-0"), page)'
            ),
        ),
    ),
    toy(
        "a list that is a bare array",
        "a_list_pages_by_cursor",
        "GET /v1/products answers with a bare array",
        (
            ROUTES,
            '@shelf.get("", response_model=Page[ProductView])',
            '@shelf.get("", response_model=list[ProductView])',
        ),
        (ROUTES, _PAGINATE, "return (await paginate(tx, select(Product), page)).items  # type: ignore"),
    ),
    toy(
        "a process that is always ready",
        "live_and_ready_differ",
        "live and ready answer [200, 200, 200, 200]",
        (SERVICE, "    metadata=Base.metadata,\n", "    metadata=Base.metadata,\n    on_start=ready_from_the_start,\n"),
        (
            SERVICE,
            "service = Service(",
            (
                "from fastapi.responses import JSONResponse\n"
                "from starlette.routing import Route\n\n\n"
                "async def ready_from_the_start(app, settings):  # type: ignore\n"
                "    async def ready(request):  # type: ignore\n"
                '        return JSONResponse({"status": "ready"})\n\n'
                '    app.router.routes.insert(0, Route("/health/ready", ready))\n\n\n'
                "service = Service("
            ),
        ),
    ),
)
