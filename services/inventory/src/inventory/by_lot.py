"""How much of each lot lies in a stock: the same quantities as its layers, told apart by lot. Layers do not know lots: cost follows receipts.

A lot of which nothing is left is forgotten here, so that a stock stays small however many lots it has seen.
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from contracts.lots import LotQuantity

NOTHING = Decimal(0)


class LotState(BaseModel):
    """What lies here of a lot, and how much of that is reserved. In a list of them, what came first comes first."""

    model_config = ConfigDict(frozen=True)

    lot_id: UUID
    number: str
    quantity: Decimal
    reserved: Decimal = NOTHING

    @property
    def free(self) -> Decimal:
        return self.quantity - self.reserved


def after_moving(
    lots: Sequence[LotState], moved: Iterable[LotQuantity], *, quantity: int = 0, reserved: int = 0
) -> list[LotState]:
    """With more or less of what `moved` names: `quantity` and `reserved` are 1, -1 or 0, by the way it goes."""
    by_id = {one.lot_id: one for one in lots}
    for part in moved:
        here = by_id.get(part.lot_id) or LotState(lot_id=part.lot_id, number=part.number, quantity=NOTHING)
        by_id[part.lot_id] = LotState(
            lot_id=part.lot_id,
            number=part.number,
            quantity=here.quantity + quantity * part.quantity,
            reserved=here.reserved + reserved * part.quantity,
        )
    return [one for one in by_id.values() if one.quantity or one.reserved]


def first_of(lots: Iterable[LotQuantity], quantity: Decimal) -> list[LotQuantity]:
    """So much of these, from the first on."""
    taken: list[LotQuantity] = []
    for one in lots:
        part = min(one.quantity, quantity)
        if part:
            taken.append(one.model_copy(update={"quantity": part}))
            quantity -= part
    return taken


def without(lots: Iterable[LotQuantity], gone: Iterable[LotQuantity]) -> list[LotQuantity]:
    """What is left of these."""
    due: dict[UUID, Decimal] = {}
    for one in gone:
        due[one.lot_id] = due.get(one.lot_id, NOTHING) + one.quantity
    left: list[LotQuantity] = []
    for one in lots:
        part = min(one.quantity, due.get(one.lot_id, NOTHING))
        due[one.lot_id] = due.get(one.lot_id, NOTHING) - part
        if part < one.quantity:
            left.append(one.model_copy(update={"quantity": one.quantity - part}))
    return left


def common(lots: Iterable[LotQuantity], wanted: Iterable[LotQuantity]) -> list[LotQuantity]:
    """What is in both."""
    wanted = list(wanted)
    return without(wanted, without(wanted, lots))


def total(lots: Iterable[LotQuantity]) -> Decimal:
    return sum((one.quantity for one in lots), NOTHING)
