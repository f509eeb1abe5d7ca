"""How a company numbers its parcels, and who it says sends them."""

from typing import Literal

from sqlalchemy.orm import Mapped

from contracts.carriage import LabellingUpdated
from shipping.base import Base
from tailrace.db.models import Aggregate

Language = Literal["en", "ja"]


class Labelling(Aggregate, Base):
    """One row of a tenant, once somebody has said something."""

    __tablename__ = "labelling"

    company_prefix: Mapped[str]
    """The GS1 company prefix."""
    extension_digit: Mapped[int]
    sender: Mapped[str]
    """Name and address, line by line."""
    language: Mapped[Language]

    def decide(self, company_prefix: str, extension_digit: int, sender: str, language: Language) -> None:
        self.company_prefix, self.extension_digit = company_prefix, extension_digit
        self.sender, self.language = sender, language
        self.record_as(LabellingUpdated)
