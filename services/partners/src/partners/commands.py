"""What may be done to partners: a code belongs to one that is not retired, and what is retired stays as it was."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from partners.models import Partner
from partners.refusals import Retired
from tailrace.db.database import Tx


async def create(tx: Tx, values: Mapping[str, Any]) -> Partner:
    """Raises CodeTaken, at the latest when it is written."""
    partner = Partner.create(values)
    tx.add(partner)
    return partner


async def change(tx: Tx, partner_id: UUID, match: int | None, values: Mapping[str, Any]) -> Partner:
    """Raises Unknown, Stale, Retired, CodeTaken."""
    partner = await active(tx, partner_id, match)
    partner.change(values)
    return partner


async def retire(tx: Tx, partner_id: UUID, match: int | None) -> Partner:
    """Raises Unknown, Stale, Retired."""
    partner = await active(tx, partner_id, match)
    partner.retire(datetime.now(UTC))
    return partner


async def active(tx: Tx, partner_id: UUID, match: int | None) -> Partner:
    """What may still change, locked. Raises Unknown, Stale, Retired."""
    partner = await tx.load(Partner, partner_id, match)
    if partner.retired_at is not None:
        raise Retired(f"{partner.code} was retired at {partner.retired_at:%Y-%m-%d %H:%M} UTC.")
    return partner
