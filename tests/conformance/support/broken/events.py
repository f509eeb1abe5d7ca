"""Toys with a mistake in their events, or in what they make of those of others."""

from broken.toy import FACTS, SERVICE, SUBSCRIBERS, toy

_LISTED = "PUBLISHED = [CardIssued, CardLabelled, CardClosed, PointsGiven]"
_HEARD = "row = insert(Product).values(tenant_id=tx.tenant_id, id=event.item_id, name=event.name, heard=1)"
_TOLD = "async def told(tx: Tx, event: ItemCreated | ItemUpdated, meta: Meta) -> None:\n"
_WELCOME = '    tx.add(Card.issue(tx.tenant_id, "WELCOME" + str(meta.event_id)'
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
        "toyshop.card.issued: no sample can be made of CardIssued: label: String should match pattern",
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
        (FACTS, '    publisher: ClassVar[str] = "toyshop"\n', ""),
        (SERVICE, 'topic="toyshop.events"', 'topic="catalog.events"'),
    ),
    toy(
        "an event that anybody might have published",
        "a_topic_has_one_publisher",
        "toyshop.card.issued does not say that toyshop publishes it",
        (FACTS, '    publisher: ClassVar[str] = "toyshop"\n', ""),
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
)
