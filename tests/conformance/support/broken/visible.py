"""Toys that show more than the caller may see."""

from broken.toy import ROUTES, toy

_LIST = "return await paginate(tx, select(Card), page)"
_READ = "async def read_card(tx: Tx, who: Reader, card_id: UUID) -> Card:\n    return await tx.find(Card, card_id)\n"
_LOAD = "    card = await tx.load(Card, card_id, match)\n    card.relabel(body.label)\n"
_CLOSE = "async def close_card(tx: Tx, who: Writer, match: IfMatch, card_id: UUID) -> Card:\n"
_STAMPS = "    card = await tx.find(Card, card_id)\n    return StampsView(texts=[stamp.text for stamp in card.stamps])"

TOYS = (
    toy(
        "a list of everybody's",
        "anothers_row_is_not_there",
        "GET /v1/cards shows rows to somebody who does not own them",
        (ROUTES, _LIST, f"with tx.seeing_all():\n        {_LIST}"),
    ),
    toy(
        "a read that goes round the models",
        "anothers_row_is_not_there",
        "GET /v1/cards/{card_id}/stamps answers 200 to somebody who does not own the row",
        (
            ROUTES,
            _STAMPS,
            (
                "    from toyshop.models import Stamp\n\n"
                "    table = Stamp.__table__\n"
                "    found = await tx.execute(select(table.c.text).where(table.c.card_id == card_id))\n"
                '    if not (texts := [row.text for row in found]):\n        raise Unknown("Card", card_id)\n'
                "    return StampsView(texts=texts)"
            ),
        ),
    ),
    toy(
        "a change to whatever is named",
        "anothers_row_is_not_there",
        "PUT /v1/cards/{card_id} answers 200 to somebody who does not own the row",
        (ROUTES, _LOAD, "    with tx.seeing_all():\n" + _LOAD.replace("    card", "        card", 1)),
    ),
    toy(
        "a body that names whatever there is",
        "anothers_row_is_not_there",
        "POST /v1/points takes a row in its body that the caller does not own: 201",
        (
            ROUTES,
            "        await tx.find(Card, body.card_id)\n",
            "        with tx.seeing_all():\n            await tx.find(Card, body.card_id)\n",
        ),
    ),
    toy(
        "a scope that is all or nothing",
        "anothers_row_is_not_there",
        "POST /v1/cards/{card_id}/close is about a row that has an owner, and asks for no scope that comes by owner",
        (ROUTES, _CLOSE, _CLOSE.replace("Writer", "Annotated[Principal, Requires(pii)]")),
    ),
    toy(
        "a mask that one answer does without",
        "what_is_masked_stays_masked",
        "OpenCard.email is shown to everybody, and masked by toyshop:pii elsewhere",
        (
            ROUTES,
            '@cards.get("/{card_id}", response_model=CardView)\n',
            (
                "class OpenCard(CardView):\n"
                "    email: Personal[str]\n"
                '    """Where its holder is written to."""\n\n\n'
                '@cards.get("/{card_id}", response_model=OpenCard)\n'
            ),
        ),
    ),
    toy(
        "an answer that is turned into text by hand",
        "what_is_masked_stays_masked",
        "GET /v1/cards/{card_id} shows email to a token without the scope",
        (
            ROUTES,
            _READ,
            (
                "async def read_card(tx: Tx, who: Reader, card_id: UUID) -> JSONResponse:\n"
                "    card = await tx.find(Card, card_id)\n"
                '    return JSONResponse({"id": str(card.id), "email": card.email})\n'
            ),
        ),
        (
            ROUTES,
            "from sqlalchemy import select\n",
            "from fastapi.responses import JSONResponse\nfrom sqlalchemy import select\n",
        ),
    ),
    toy(
        "a filter that tells what is masked",
        "what_is_masked_stays_masked",
        "GET /v1/cards is narrowed by email, which is masked",
        (ROUTES, ', masks={"email": pii}', ""),
    ),
    toy(
        "a sort that tells what is masked",
        "what_is_masked_stays_masked",
        "GET /v1/cards is sorted by email, which is masked",
        (
            ROUTES,
            'equal(Card.email), sort=[Card.number, Card.email], masks={"email": pii}',
            "sort=[Card.number, Card.email]",
        ),
    ),
)
