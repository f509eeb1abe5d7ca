"""Who may read and who may change what shipping keeps."""

from typing import Annotated

from tailrace.core.context import Principal
from tailrace.http.auth import Requires

Reader = Annotated[Principal, Requires("shipping:read")]
Writer = Annotated[Principal, Requires("shipping:write")]
