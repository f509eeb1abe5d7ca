"""What is read from the streams themselves: a stock with its layers, and the proof that its row says what its events say."""

from typing import Any

from sqlalchemy import select

from inventory.models import StockLevel
from inventory.stock import Place, StockItem, view_stock
from inventory.views import Figures, LayerView, ReplayView, ShortfallView, StockDetail
from tailrace.core.errors import Unknown
from tailrace.db.database import Tx
from tailrace.db.event_streams import replay


async def stock_with_layers(tx: Tx, place: Place) -> StockDetail:
    """Raises Unknown."""
    level = await _level(tx, place)
    stock = await view_stock(tx, place)
    return StockDetail(
        **_figures(stock.state),
        id=stock.id,
        version=stock.version,
        item_id=place.item_id,
        warehouse_id=place.warehouse_id,
        available=stock.state.free,
        currency=level.currency,
        created_at=level.created_at,
        updated_at=level.updated_at,
        layers=[LayerView.model_validate(layer) for layer in stock.state.layers],
        shortfalls=[ShortfallView.model_validate(one) for one in stock.state.shortfalls],
    )


async def replayed(tx: Tx, place: Place) -> ReplayView:
    """The stock from its first event on, no snapshot asked, beside its row. Raises Unknown.

    The row says as of which version to compare, so that nobody has to wait and a movement in between does not matter.
    """
    level = await _level(tx, place)
    stock = await replay(tx, StockItem, level.id, upto=level.version)
    computed, shown = Figures(**_figures(stock.state)), Figures.model_validate(level)
    equal = computed == shown and stock.version == level.version
    return ReplayView(equal=equal, events=stock.version, replayed=computed, shown=shown)


async def _level(tx: Tx, place: Place) -> StockLevel:
    here = (StockLevel.item_id == place.item_id, StockLevel.warehouse_id == place.warehouse_id)
    level = await tx.scalar(select(StockLevel).where(*here))
    if level is None:
        raise Unknown("stock of item", f"{place.item_id} in warehouse {place.warehouse_id}")
    return level


def _figures(state: Any) -> dict[str, Any]:
    return {name: getattr(state, name) for name in ("on_hand", "reserved", "provisional", "value")}
