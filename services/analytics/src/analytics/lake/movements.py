"""What a movement is in the lake: its row, with the number of its document."""

from typing import Any

from sqlalchemy import Select, and_, select

from analytics.lake.columns import Columns
from analytics.movements import Document, Movement

MOVEMENTS = Columns(
    id="id",
    measure="text",
    at="time",
    known_at="time",
    kind="text",
    document_id="id",
    document_number="text or nothing",
    owner_id="id or nothing",
    customer_id="id or nothing",
    currency="text or nothing",
    label="text or nothing",
    segment="text or nothing",
    came_of_id="id or nothing",
    count="whole",
    amount="whole",
    seconds="whole",
    item_id="id or nothing",
    warehouse_id="id or nothing",
    quantity="whole",
    event_id="id",
)


def in_order() -> Select[Any]:
    """Every movement of the tenant, those of one measure together, in the order of time: a reader of few measures or days skips the rest."""
    known = and_(Document.id == Movement.document_id, Document.kind == Movement.kind)
    own: Any = Movement.__table__.c
    columns = [Document.number if name == "document_number" else own[name] for name in MOVEMENTS.names]
    return select(*columns).outerjoin(Document, known).order_by(Movement.measure, Movement.at, Movement.id)
