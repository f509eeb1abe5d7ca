"""What suppliers are called, as the notices of their deliveries say it, until there are suppliers that somebody keeps."""

from collections.abc import Mapping

from sqlalchemy import func, select

from analytics.movements import Document
from tailrace.db.database import Tx


async def names_of(tx: Tx) -> Mapping[str, str]:
    """By the key of a row. Of several spellings that are taken for the same, always the same one."""
    id, name = (Document.standing[field].astext for field in ("supplier_id", "supplier_name"))
    rows = await tx.execute(select(id, func.min(name)).where(Document.kind == "delivery").group_by(id))
    return {row[0]: row[1] for row in rows}
