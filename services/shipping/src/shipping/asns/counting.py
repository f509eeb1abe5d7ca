"""How finely what is announced, or found, may be counted.

A code that is one of the catalog's is taken for that item, and what comes out even in no unit of the item could never be put away. The notice does
not say which of them it counts in, so that any will do; and a code that is the supplier's own tells nothing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal

from sqlalchemy import or_, select

from shipping.asns.bodies import AsnLineBody
from shipping.projections import ItemCopy, UnitCopy
from tailrace.core.errors import Invalid
from tailrace.core.values.units import Inexact, Unit, check_decimals, convert
from tailrace.db.database import Tx
from tailrace.messaging.replica import absent, by_code


async def check_counted(tx: Tx, lines: Iterable[tuple[str, AsnLineBody]]) -> None:
    """Each line with its JSON pointer. Raises Inexact, which names the quantity, and what `absent` says while the unit of an item is on its way."""
    said = list(lines)
    items = await by_code(tx, ItemCopy, {line.sku for _, line in said})
    items = {code: item for code, item in items.items() if item.active}
    if not items:
        return
    needed = {item.unit for item in items.values()}
    kept = await tx.scalars(
        select(UnitCopy).where(or_(UnitCopy.active, UnitCopy.code.in_(needed))).order_by(UnitCopy.active)
    )
    units = {unit.code: unit.measure for unit in kept}
    for at, line in said:
        if (item := items.get(line.sku)) is None:
            continue
        if item.unit not in units:
            raise absent(item.id, f"{at}/sku", f"The unit {item.unit} of {item.sku} is not here.")
        _check(line.quantity, item, units, f"{at}/quantity")


def _check(quantity: Decimal, item: ItemCopy, units: Mapping[str, Unit], place: str) -> None:
    """Raises Inexact unless so many of some unit are a quantity of the item. Most count in its base unit or as it is packed: these come first."""
    try:
        check_decimals(quantity, item.unit, units[item.unit].decimals, place)
    except Inexact:
        others = (*item.packaging.factors, *(code for code in units if code != item.unit))
        if not any(_comes_out_even(quantity, code, item, units) for code in others):
            raise


def _comes_out_even(quantity: Decimal, unit: str, item: ItemCopy, units: Mapping[str, Unit]) -> bool:
    try:
        convert(quantity, unit, item.unit, units, item.packaging)
    except Invalid:
        return False
    return True
