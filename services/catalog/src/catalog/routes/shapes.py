"""What the catalog's bodies and views have in common."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import StringConstraints

from tailrace.core.context import Principal
from tailrace.http.auth import Requires
from tailrace.http.routing import View

Reader = Annotated[Principal, Requires("catalog:read")]
Writer = Annotated[Principal, Requires("catalog:write")]

Code = Annotated[str, StringConstraints(min_length=1, max_length=64)]
UnitCode = Annotated[str, StringConstraints(min_length=1, max_length=16)]
Name = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class MasterDataView(View):
    """The fields that every master data view carries."""

    id: UUID
    version: int
    name: str
    created_at: datetime
    updated_at: datetime
