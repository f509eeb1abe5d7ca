"""Toys whose OpenAPI document says too little, or that take what is written in another way than it says."""

from broken.toy import ROUTES, toy

_RELABEL = "async def replace_card(tx: Tx, who: Writer, match: IfMatch, card_id: UUID, body: Label) -> Card:"
_LOAD = "    card = await tx.load(Card, card_id, match)\n    card.relabel(body.label)\n"
_SQL = "from sqlalchemy import select\n"
_LOOSE = (
    ROUTES,
    "class Label(Body):\n",
    (
        "from pydantic import BaseModel, ConfigDict\n\n\n"
        'class Label(BaseModel):\n    model_config = ConfigDict(extra="forbid")\n\n'
    ),
)

TOYS = (
    toy(
        "a body that keeps texts as they come",
        "what_comes_in_is_written_in_one_way",
        "PUT /v1/cards/{card_id}: /role takes U+202E",
        _LOOSE,
        (ROUTES, '    role: Text = "holder"', '    role: str = "holder"'),
    ),
    toy(
        "a body that keeps one word in two spellings",
        "what_comes_in_is_written_in_one_way",
        "PUT /v1/cards/{card_id}: /label keeps e and an accent as two characters",
        _LOOSE,
        (ROUTES, "    label: Text\n    role", "    label: str\n    role"),
    ),
    toy(
        "a body that takes anything for a time",
        "what_comes_in_is_written_in_one_way",
        "PUT /v1/cards/{card_id}: /created_at takes 1700000000",
        _LOOSE,
    ),
    toy(
        "a query that takes yes for true",
        "what_comes_in_is_written_in_one_way",
        "GET /v1/card-terms takes 'yes' for long: 200",
        (ROUTES, "async def read_terms()", "async def read_terms(long: bool = False)"),
        (
            ROUTES,
            'terms = public_router(tag="terms", about="What holds for everybody.")',
            'terms = APIRouter(tags=["terms"])',
        ),
        (ROUTES, _SQL, f"from fastapi import APIRouter\n{_SQL}"),
    ),
    toy(
        "a list that hides rows after they were read",
        "lists_export_what_they_show",
        "GET /v1/cards lists",
        (
            ROUTES,
            "return await paginate(tx, select(Card), page)",
            "listing = await paginate(tx, select(Card), page)\n    listing.items[:] = listing.items[1:]\n    return listing",
        ),
    ),
    toy(
        "many at once, and nothing said of which",
        "each_of_many_stands_alone",
        "POST /v1/cards/bulk makes something, and does not say which",
        (ROUTES, "    create=issue,\n", "    create=forget,\n"),
        (
            ROUTES,
            "issued = Importable(",
            "async def forget(tx: Tx, body: NewCard) -> None:\n    await issue(tx, body)\n\n\nissued = Importable(",
        ),
    ),
    toy(
        "a list by another name",
        "operations_are_named_by_the_plan",
        "GET /v1/cards is called listing: its name begins with list_",
        (ROUTES, "async def list_cards(", "async def listing("),
    ),
    toy(
        "two operations by one name",
        "operations_are_named_by_the_plan",
        "cards.read is the id of 2 operations",
        (ROUTES, "async def read_stamps(", "async def read_card("),
    ),
    toy(
        "a field that is not described",
        "everything_offered_is_described",
        "CardView.label is not described",
        (ROUTES, '    """What its holder calls it."""\n', ""),
    ),
    toy(
        "a field that is described by its name",
        "everything_offered_is_described",
        "CardView.label says nothing but its name",
        (ROUTES, "What its holder calls it.", "The label."),
    ),
    toy(
        "a query parameter that is not described",
        "everything_offered_is_described",
        "the parameter more of GET /v1/cards/{card_id}/stamps is not described",
        (
            ROUTES,
            "async def read_stamps(tx: Tx, who: Reader, card_id: UUID)",
            "async def read_stamps(tx: Tx, who: Reader, card_id: UUID, more: int = 1)",
        ),
    ),
    toy(
        "an answer that nobody was told of",
        "every_answer_is_declared",
        "GET /v1/card-terms answers 203, which it does not declare",
        (
            ROUTES,
            "async def read_terms() -> dict[str, str]:\n",
            "async def read_terms(response: Response) -> dict[str, str]:\n    response.status_code = 203\n",
        ),
        (ROUTES, _SQL, f"from fastapi import Response\n{_SQL}"),
    ),
    toy(
        "an argument by another name",
        "operations_are_named_by_the_plan",
        "PUT /v1/cards/{card_id} calls its body label",
        (ROUTES, _RELABEL, _RELABEL.replace("body: Label", "label: Label")),
        (ROUTES, _LOAD, _LOAD.replace("body.label", "label.label")),
    ),
)
