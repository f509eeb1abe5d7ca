"""Each parcel gets a number that no other ever had: the serials of a prefix count up for ever, also when the company changes to another one and back.

A number that was taken stays taken when its parcel is unpacked. One whose transaction was rolled back is given again: nobody saw it.
"""

from uuid import UUID

from shipping.labels.bodies import LabellingBody
from shipping.labels.gs1 import sscc
from shipping.labels.models import Labelling
from shipping.labels.refusals import NumbersUsedUp
from tailrace.core.ids import derived_id
from tailrace.db.database import Tx
from tailrace.db.numbers import Numbers


async def labelling_of(tx: Tx) -> Labelling | None:
    """None while nobody has said anything."""
    return await tx.get(Labelling, (tx.tenant_id, _id(tx)))


async def set_labelling(tx: Tx, said: LabellingBody) -> Labelling:
    """Replace all of it. Numbers that were given stay."""
    if await labelling_of(tx) is None:
        kept = Labelling(id=_id(tx))
        tx.add(kept)
    else:
        kept = await tx.load(Labelling, _id(tx))
    kept.decide(said.company_prefix, said.extension_digit, said.sender, said.language)
    return kept


async def next_sscc(tx: Tx) -> str | None:
    """The number of a new parcel; None while the company has no prefix. Raises NumbersUsedUp. Taken last, as every number of a series."""
    kept = await labelling_of(tx)
    if kept is None:
        return None
    serials = Numbers(f"sscc:{kept.extension_digit}{kept.company_prefix}", "{number}")
    try:
        return sscc(kept.extension_digit, kept.company_prefix, int(await serials.next(tx)))
    except ValueError:
        detail = f"Every number behind {kept.extension_digit} and {kept.company_prefix} is used up: change the extension digit."
        raise NumbersUsedUp(detail) from None


def _id(tx: Tx) -> UUID:
    return derived_id(tx.tenant_id, "labelling")
