"""What a partner was asked."""

from datetime import datetime

from pydantic import BaseModel


class Entry(BaseModel):
    """One request, as it came. Of the authorisation, only whether there was one."""

    at: datetime
    partner: str
    method: str
    path: str
    query: str
    key: str | None
    authorized: bool
    body: str
    fault: str | None
