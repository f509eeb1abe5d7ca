"""Toys with a mistake in how they hand out files."""

from broken.toy import ROUTES, toy

_STAMPS = "    return StampsView(texts=[stamp.text for stamp in card.stamps])"
_SQL = "from sqlalchemy import select\n"


def _drawn(headers: str) -> tuple[tuple[str, str, str], ...]:
    """Stamps as a picture, with these headers."""
    svg = '"<svg xmlns=\\"http://www.w3.org/2000/svg\\"/>"'
    drawn = f'    return Response({svg}, media_type="image/svg+xml", headers={headers})  # type: ignore'
    return ((ROUTES, _STAMPS, drawn), (ROUTES, _SQL, f"from fastapi import Response\n{_SQL}"))


TOYS = (
    toy(
        "a picture that a browser opens",
        "what_is_no_data_is_saved_and_never_shown",
        "GET /v1/cards/{card_id}/stamps shows image/svg+xml instead of letting it be saved",
        *_drawn("{}"),
    ),
    toy(
        "a file whose type a browser guesses",
        "what_is_no_data_is_saved_and_never_shown",
        "GET /v1/cards/{card_id}/stamps lets a browser guess what image/svg+xml is",
        *_drawn('{"Content-Disposition": "attachment", "X-Content-Type-Options": "guess"}'),
    ),
)
