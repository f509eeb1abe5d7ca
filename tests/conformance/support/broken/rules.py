"""Toys with a mistake in their manifest, their events, their subscribers or their source."""

from broken.toy import FACTS, MODELS, ROUTES, SERVICE, SUBSCRIBERS, toy

_LISTED = "PUBLISHED = [CardIssued, CardLabelled, CardClosed, PointsGiven]"
_HEARD = "row = insert(Product).values(tenant_id=tx.tenant_id, id=event.item_id, name=event.name, heard=1)"
_SAMPLE = "contracts/samples/toyshop.card.issued/v1-1.json"
_TOLD = "async def told(tx: Tx, event: ItemCreated | ItemUpdated, meta: Meta) -> None:\n"
_WELCOME = '    tx.add(Card.issue(tx.tenant_id, "WELCOME" + str(meta.event_id)'
_RELABEL = "async def replace_card(tx: Tx, who: Writer, match: IfMatch, card_id: UUID, body: Label) -> Card:"
_LOAD = "    card = await tx.load(Card, card_id, match)\n    card.relabel(body.label)\n"
_RUMOUR = (
    (
        FACTS,
        _LISTED,
        (
            f"class Rumour(Event):\n"
            f'    topic: ClassVar[str] = "rumour.events"\n'
            f'    type: ClassVar[str] = "rumour.heard"\n\n\n'
            f"{_LISTED}"
        ),
    ),
    (
        SUBSCRIBERS,
        "@welcome.on(TenantCreated)",
        "from toyshop.events import Rumour\n\n\n@welcome.on(TenantCreated, Rumour)",
    ),
)

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
        "an event without a schema",
        "every_event_has_a_schema_and_samples_that_parse",
        "toyshop.card.lost has no schema",
        (
            FACTS,
            _LISTED,
            (
                f"class CardLost(ToyEvent):\n"
                f'    type: ClassVar[str] = "toyshop.card.lost"\n'
                f"    card_id: UUID\n\n\n"
                f"{_LISTED[:-1]}, CardLost]"
            ),
        ),
    ),
    toy(
        "an event that cannot read its own past",
        "every_event_has_a_schema_and_samples_that_parse",
        "the sample v1-1.json of toyshop.points.given is read no more",
        (FACTS, "    by: int\n", "    by: int\n    why: str\n"),
    ),
    toy(
        "an event that is called by its thing alone",
        "types_follow_the_grammar",
        "card.issued begins with neither toyshop, as its topic does,",
        (FACTS, '"toyshop.card.issued"', '"card.issued"'),
    ),
    toy(
        "an event that is no past participle",
        "types_follow_the_grammar",
        "toyshop.card.issue ends in issue, which is no past participle",
        (FACTS, '"toyshop.card.issued"', '"toyshop.card.issue"'),
    ),
    toy(
        "an event that shrank",
        "events_only_grow",
        "toyshop.card.issued",
        (FACTS, "    label: str | None = None\n", ""),
    ),
    toy(
        "an event without a sample of what it has become",
        "samples_are_up_to_date",
        "toyshop.card.issued has no sample of its present form",
        (FACTS, "    label: str | None = None\n", "    label: str | None = None\n    colour: str | None = None\n"),
    ),
    toy(
        "an event of which no sample can be made",
        "samples_are_up_to_date",
        "no sample can be made of toyshop.card.issued: give these fields `examples=[…]`: label",
        (FACTS, "    label: str | None = None\n", "    label: str = Field(pattern=r'^[A-Z]{3}-[0-9]{4}$')\n"),
        (
            FACTS,
            "from tailrace.core.events import Event",
            "from pydantic import Field\n\nfrom tailrace.core.events import Event",
        ),
    ),
    toy(
        "an ear for what has no sample",
        "listeners_read_every_sample",
        "rumour.heard, which toyshop.welcome listens to, has no sample: run `tailrace describe`",
        *_RUMOUR,
    ),
    toy(
        "an ear for what nobody says",
        "every_listener_has_a_publisher",
        "toyshop.welcome listens to rumour.heard, which nobody publishes",
        *_RUMOUR,
    ),
    toy(
        "an event that is awaited although it comes",
        "every_listener_has_a_publisher",
        "toyshop.card.issued is awaited, and a service publishes it",
        (SERVICE, "    subscribers=[", "    awaits=[events.CardIssued],\n    subscribers=["),
    ),
    toy(
        "a reader of events as they never were",
        "listeners_read_every_sample",
        "toyshop.products cannot read v1-1.json of catalog.item.deleted",
        (
            SUBSCRIBERS,
            "products = Projection",
            "class ItemDeleted(ItemDeleted):  # type: ignore\n    because: str\n\n\nproducts = Projection",
        ),
    ),
    toy(
        "a second voice on a topic",
        "a_topic_has_one_publisher",
        "catalog publishes to catalog.events too",
        (FACTS, 'topic: ClassVar[str] = "toyshop.events"', 'topic: ClassVar[str] = "catalog.events"'),
        (SERVICE, 'topic="toyshop.events"', 'topic="catalog.events"'),
    ),
    toy(
        "a reaction that forgets what was applied",
        "what_is_delivered_twice_has_one_effect",
        "delivering everything again changes",
        (SUBSCRIBERS, _WELCOME, f'    await tx.execute(text("DELETE FROM inbox"))\n{_WELCOME}'),
        (SUBSCRIBERS, "from sqlalchemy import delete\n", "from sqlalchemy import delete, text\n"),
    ),
    toy(
        "a projection with a memory that no rollback reaches",
        "batches_and_bad_records_make_no_difference",
        "product differs after a batch with a bad record in it",
        (SUBSCRIBERS, "products = Projection", "calls: list[int] = []\nproducts = Projection"),
        (SUBSCRIBERS, _HEARD, f"calls.append(1)\n    {_HEARD.replace('heard=1', 'heard=len(calls)')}"),
    ),
    toy(
        "a subscriber that cannot cope with what is published",
        "no_sample_is_set_aside",
        "toyshop.products fails at catalog.item.created: failed, ValueError",
        (
            SUBSCRIBERS,
            _TOLD,
            (
                f'{_TOLD}    if event.type == "catalog.item.created" and event.unit != "pcs":\n'
                f'        raise ValueError("pieces only")\n'
            ),
        ),
    ),
    toy(
        "a projection that publishes",
        "projections_record_nothing",
        "the projection toyshop.products records events",
        (
            SUBSCRIBERS,
            _TOLD,
            f'{_TOLD}    tx.add(Card.issue(event.item_id, str(event.item_id), "a@b.example", "x", []))\n',
        ),
    ),
    toy(
        "a reaction that does not say why",
        "what_follows_names_its_cause",
        "toyshop.card.issued does not name the event that led to it",
        (
            SUBSCRIBERS,
            '    tx.add(Card.issue(tx.tenant_id, "WELCOME" + str(meta.event_id)',
            (
                "    from tailrace.core.context import Context\n\n"
                "    tx.context = Context(tenant_id=tx.tenant_id)\n"
                '    tx.add(Card.issue(tx.tenant_id, "WELCOME" + str(meta.event_id)'
            ),
        ),
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
        (ROUTES, "class StampBody(Body):", "from tailrace.core.wire import WireModel\n\n\nclass StampBody(WireModel):"),
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
