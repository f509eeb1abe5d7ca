"""What is on `gateway.access`: who asked for what at the gateway. No event of business: some may be lost, and nothing is decided by it."""

from typing import ClassVar
from uuid import UUID

from tailrace.core.events import Event
from tailrace.core.personal_data import Personal


class Accessed(Event):
    """A request of somebody who is logged in was answered. It names no values of the query, and has nothing of any body."""

    topic: ClassVar[str] = "gateway.access"
    publisher: ClassVar[str] = "gateway"
    type: ClassVar[str] = "gateway.accessed"

    request_id: UUID
    """The correlation of whatever the request led to."""
    user_id: UUID
    session_id: UUID | None = None
    service: str
    """Whose answer it was."""
    method: str
    path: str
    """As the OpenAPI document has it, `/v1/orders/{order_id}`; the prefix alone for a path that is not in there."""
    ids: list[UUID] = []
    """The ids in the path, from the left."""
    status: int
    """Of the answer; 499 when the client went away."""
    milliseconds: int
    """From the request's head to the end of the answer."""
    address: Personal[str] | None = None
    """Where the request came from."""
    lost: int = 0
    """How many before this one, of the same company, could not be told of."""
