"""Who may read and who may change what shipping keeps."""

from typing import Annotated

from tailrace.auth import Requires
from tailrace.context import Principal

Reader = Annotated[Principal, Requires("shipping:read")]
Writer = Annotated[Principal, Requires("shipping:write")]
