"""Toys with a mistake in their manifest, or in how their source is written."""

from broken.toy import FACTS, MODELS, ROUTES, SERVICE, SUBSCRIBERS, toy

_LISTED = "PUBLISHED = [CardIssued, CardLabelled, CardClosed, PointsGiven]"
_SAMPLE = "contracts/samples/toyshop.card.issued/v1-1.json"
_TOLD = "async def told(tx: Tx, event: ItemCreated | ItemUpdated, meta: Meta) -> None:\n"
_RELABEL = "async def replace_card(tx: Tx, who: Writer, match: IfMatch, card_id: UUID, body: Label) -> Card:"
_LOAD = "    card = await tx.load(Card, card_id, match)\n    card.relabel(body.label)\n"

TOYS = (
    toy(
        "a subscriber with somebody else's name",
        "the_manifest_holds_together",
        "must be called toyshop.",
        (SUBSCRIBERS, 'Projection("toyshop.products")', 'Projection("products")'),
    ),
    toy(
        "a route that asks for a scope which nobody can grant",
        "the_manifest_holds_together",
        "asks for the scope toyshop:stamp, which its manifest does not declare",
        (ROUTES, "Requires(write)", 'Requires(Scope("toyshop:stamp", "Stamp cards"))'),
    ),
    toy(
        "a service that says it has no database",
        "only_the_edge_has_no_database",
        "it has no database, and yet something of its own",
        (SERVICE, "    metadata=Base.metadata,\n", ""),
    ),
    toy(
        "a deadline that nobody looks at",
        "what_the_package_makes_is_in_the_manifest",
        "toyshop.end stands in subscribers.py, and `timers` of the manifest does not have it",
        (
            SUBSCRIBERS,
            "import Projection, Reaction\n",
            "import Projection, Reaction\nfrom tailrace.messaging.timers import Timer\n",
        ),
        (
            SUBSCRIBERS,
            'welcome = Reaction("toyshop.welcome")\n',
            'welcome = Reaction("toyshop.welcome")\nend = Timer("toyshop.end")\n',
        ),
    ),
    toy(
        "an errand that nobody runs",
        "what_the_package_makes_is_in_the_manifest",
        "toyshop.call stands in subscribers.py, and `errands` of the manifest does not have it",
        (
            SUBSCRIBERS,
            "import Projection, Reaction\n",
            "import Projection, Reaction\nfrom tailrace.errands.errands import Errand\n",
        ),
        (
            SUBSCRIBERS,
            'welcome = Reaction("toyshop.welcome")\n',
            'welcome = Reaction("toyshop.welcome")\ncall = Errand("toyshop.call")\n',
        ),
    ),
    toy(
        "a subscriber that nobody calls",
        "what_the_package_makes_is_in_the_manifest",
        "toyshop.welcome stands in subscribers.py, and `subscribers` of the manifest does not have it",
        (SERVICE, "subscribers.teams, subscribers.welcome]", "subscribers.teams]"),
    ),
    toy(
        "an event that the manifest does not name",
        "what_is_recorded_is_in_the_manifest",
        "toyshop.card.closed is recorded, and `publishes` of the manifest does not have it",
        (FACTS, _LISTED, "PUBLISHED = [CardIssued, CardLabelled, PointsGiven]"),
    ),
    toy(
        "an app that nothing stands before",
        "only_the_edge_has_no_database",
        "it builds its own app",
        (
            SERVICE,
            "    metadata=Base.metadata,\n",
            "    metadata=Base.metadata,\n    build=lambda settings: None,  # type: ignore\n",
        ),
    ),
    toy(
        "a platform table that nobody reviewed",
        "exceptions_are_written_down",
        "exceptions.json says platform_tables",
        (SERVICE, 'frozenset({"card_home"})', 'frozenset({"card_home", "product"})'),
    ),
    toy(
        "an operation without a scope that nobody reviewed",
        "exceptions_are_written_down",
        "exceptions.json says needs_no_scope",
        (ROUTES, '@shelf.get("", response_model', '@shelf.get("", openapi_extra={"x-policy": "own"}, response_model'),
    ),
    toy(
        "a client of Kafka",
        "events_leave_through_the_outbox_alone",
        "subscribers.py imports aiokafka",
        (SUBSCRIBERS, "from sqlalchemy import delete\n", "import aiokafka\nfrom sqlalchemy import delete\n"),
    ),
    toy(
        "a hand in the outbox",
        "events_leave_through_the_outbox_alone",
        "routes.py imports tailrace.db.tables",
        (
            ROUTES,
            "from tailrace.http.routing import Body",
            "from tailrace.db.tables import outbox\nfrom tailrace.http.routing import Body",
        ),
    ),
    toy(
        "a connection of its own",
        "connections_come_from_the_kit",
        "makes a connection of its own: create_async_engine",
        (
            ROUTES,
            "terms = public_router",
            (
                "from sqlalchemy.ext.asyncio import create_async_engine\n\n"
                "engine = create_async_engine('postgresql+asyncpg://')\n"
                "terms = public_router"
            ),
        ),
    ),
    toy(
        "an import of another service",
        "no_service_imports_another",
        "subscribers.py imports catalog.models",
        (SUBSCRIBERS, "from sqlalchemy import delete\n", "from sqlalchemy import delete\nimport catalog.models\n"),
    ),
    toy(
        "a module that promises nothing",
        "modules_open_with_their_promise",
        "subscribers.py opens with no docstring",
        (SUBSCRIBERS, '"""A projection of the catalog\'s items, and a card of welcome for each new tenant."""\n', ""),
    ),
    toy(
        "a part that may change in silence",
        "changes_need_a_event",
        "Stamp belongs to an aggregate, and is no Part",
        (MODELS, "class Stamp(Part, Base):", "class Stamp(TenantRow, Base):"),
        (MODELS, '    __root__ = "card"\n', ""),
        (
            MODELS,
            "    card_id: Mapped[UUID]\n",
            "    id: Mapped[UUID] = mapped_column(primary_key=True)\n    card_id: Mapped[UUID]\n",
        ),
    ),
    toy(
        "a version that no event stands for",
        "changes_need_a_event",
        "Account is at version 7, and 1 events say so",
        (ROUTES, "version=stream.version", "version=7"),
    ),
    toy(
        "an aggregate that is changed in bulk",
        "aggregates_are_never_changed_in_bulk",
        "changes Card behind its back",
        (ROUTES, _LOAD, f"{_LOAD}    await tx.execute(update(Card).values(label=body.label))\n"),
        (ROUTES, "from sqlalchemy import select\n", "from sqlalchemy import select, update\n"),
    ),
    toy(
        "an aggregate that is changed by SQL",
        "aggregates_are_never_changed_in_bulk",
        "changes rows by SQL of its own",
        (ROUTES, _LOAD, f"{_LOAD}    await tx.execute(text(\"UPDATE card SET label = 'x'\"))\n"),
        (ROUTES, "from sqlalchemy import select\n", "from sqlalchemy import select, text\n"),
    ),
    toy(
        "a route that flushes",
        "routes_leave_writing_to_the_kit",
        "calls flush(), which the kit's route does",
        (ROUTES, _LOAD, f"{_LOAD}    await tx.flush()\n"),
    ),
    toy(
        "a route that says where something is",
        "routes_leave_writing_to_the_kit",
        "names the header Location, which the kit's route sets",
        (ROUTES, _LOAD, f'{_LOAD}    response.headers["Location"] = f"/v1/cards/{{card.id}}"\n'),
        (ROUTES, _RELABEL, _RELABEL.replace("body: Label", "body: Label, response: Response")),
        (ROUTES, "from sqlalchemy import select\n", "from fastapi import Response\nfrom sqlalchemy import select\n"),
    ),
    toy(
        "an object in a body that takes any field",
        "bodies_forbid_what_they_do_not_know",
        "POST /v1/cards: StampBody takes any field",
        (
            ROUTES,
            "class StampBody(Body):",
            "from tailrace.core.values.wire import WireModel\n\n\nclass StampBody(WireModel):",
        ),
    ),
    toy(
        "a handler that calls its event something else",
        "handlers_name_their_arguments_by_the_plan",
        "told takes tx, said, meta, not tx, event, meta",
        (SUBSCRIBERS, _TOLD, f"{_TOLD.replace('event:', 'said:')}    event = said\n"),
    ),
    toy(
        "a refusal by another's name",
        "a_problem_has_one_class",
        "stale is the slug of tailrace.core.errors.Stale and of toyshop.refusals.TooLate",
        (
            "src/toyshop/refusals.py",
            "",
            (
                '"""Refusals."""\n\nfrom tailrace.core.errors import Refused\n\n\n'
                'class TooLate(Refused):\n    slug, title = "stale", "Too late"\n'
            ),
        ),
    ),
    toy(
        "a refusal among the models",
        "things_stand_in_their_files",
        "models.py holds ClosedAlready, which belongs into refusals",
        (
            MODELS,
            "class Card(Aggregate, Owned, Base):",
            "class ClosedAlready(Refused):\n    pass\n\n\nclass Card(Aggregate, Owned, Base):",
        ),
    ),
    toy(
        "a reaction among the routes",
        "things_stand_in_their_files",
        "routes.py holds greetings, which belongs into reactions or subscribers",
        (
            ROUTES,
            'points = tenant_router("/v1/points", tag="points", about="What was given.")',
            (
                "from tailrace.messaging.subscribers import Reaction\n\n"
                'greetings = Reaction("toyshop.greetings")\n'
                'points = tenant_router("/v1/points", tag="points", about="What was given.")'
            ),
        ),
    ),
    toy(
        "an address that is not marked as personal",
        "fields_that_name_a_person_are_marked",
        "NewCard.email says who somebody is",
        (ROUTES, "    email: Personal[Text]\n", "    email: Text\n"),
    ),
    toy(
        "a sample that shows somebody's address",
        "samples_hold_nothing_personal",
        "the sample v1-1.json of toyshop.card.issued shows email",
        (_SAMPLE, "[personal]", "ada@toyshop.example"),
    ),
    toy(
        "a log line with somebody's address",
        "no_log_line_holds_personal_data",
        "a log line holds personal data",
        (ROUTES, "card=str(card.id)", "card=card.email"),
    ),
)
