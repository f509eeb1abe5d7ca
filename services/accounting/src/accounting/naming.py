"""How texts of people and of banks name a document: by its number, whatever stands between its letters."""

import re
import unicodedata


def squeezed(text: str) -> str:
    """Letters and digits alone: people leave out hyphens, and banks put in blanks."""
    return "".join(each for each in unicodedata.normalize("NFKC", text).casefold() if each.isalnum())


def names(text: str, called: str) -> bool:
    """Whether a text has the number of something, whatever stands between its letters, and no longer one that begins or ends with it."""
    number = squeezed(called)
    # Most texts name none of most numbers: look at the letters alone first. A number of another system may have none.
    if not number or number not in squeezed(text):
        return False
    spaced = r"[\W_]*".join(map(re.escape, number))
    before = r"(?<![0-9])" if number[0].isdigit() else ""
    return re.search(rf"{before}{spaced}(?![0-9])", unicodedata.normalize("NFKC", text).casefold()) is not None
