"""How a company wants its documents to look, as data: a child says what differs, and has the rest from its parent.

The last parent of all is `Layout()`, the built-in one. A layout in a body of a request is refused with each wrong field named.
"""

from typing import Annotated, Literal

from pydantic import AfterValidator, Base64Bytes, BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from tailrace.core.text import line
from tailrace.core.wire import TextRule
from tailrace.documents.business import Language
from tailrace.documents.wording import WORDS, Words

Column = Literal["position", "item", "quantity", "unit_price", "discount", "tax_rate", "amount"]
COLUMNS: tuple[Column, ...] = ("position", "item", "quantity", "unit_price", "discount", "tax_rate", "amount")


def _columns(columns: tuple[Column, ...]) -> tuple[Column, ...]:
    if len(set(columns)) < len(columns):
        raise ValueError("a column stands once")
    if missing := {"item", "amount"} - set(columns):
        raise ValueError(f"a document shows {' and '.join(sorted(missing))}")
    return columns


def _picture(content: bytes) -> bytes:
    if len(content) > 300_000:
        raise ValueError("at most 300,000 bytes")
    if not content.startswith((b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff")):
        raise ValueError("a PNG or a JPEG")
    return content


class Layout(BaseModel):
    """What a company may choose. Left out: as its parent has it."""

    model_config = ConfigDict(use_attribute_docstrings=True, extra="forbid", frozen=True)

    paper: Literal["a4", "us-letter"] = "a4"
    accent: Annotated[str, StringConstraints(pattern="^#[0-9a-fA-F]{6}$")] = "#1f3a5f"
    """The colour of the title, of rules and of the head of the table."""
    columns: Annotated[tuple[Column, ...], AfterValidator(_columns)] = COLUMNS
    """What the table shows, from the left. Discounts show only when a line has one."""
    words: dict[Language, Words] = Field(default_factory=dict)
    """Words in place of the built-in ones."""
    footer: Annotated[str, StringConstraints(max_length=120), BeforeValidator(TextRule(line))] | None = None
    """A line at the foot of each page, beside the page number."""
    logo: Annotated[Base64Bytes, AfterValidator(_picture)] | None = None
    """A PNG or JPEG, at the head of the first page."""

    def over(self, parent: "Layout") -> "Layout":
        """This layout laid over its parent: what this one sets stays, all else is the parent's."""
        own = {name: getattr(self, name) for name in self.model_fields_set if name != "words"}
        words = dict(parent.words)
        for language, said in self.words.items():
            words[language] = said.over(words.get(language, Words()))
        return parent.model_copy(update={**own, "words": words})

    def words_in(self, language: Language) -> Words:
        """Every word of the language: this layout's, else the built-in one."""
        return self.words.get(language, Words()).over(WORDS[language])
