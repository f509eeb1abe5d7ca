"""The public halves of the keys that heads are signed with: anybody may check."""

from fastapi import Request, Response

from audit.means import public_keys
from audit.views import KeysView
from tailrace.core.context import Context
from tailrace.db.database import Database
from tailrace.http.protocol.strict import public_router

KEYS = "/v1/audit/keys"

router = public_router(tag="audit", about="Who did what, in a log that shows when it was tampered with.")


@router.get(KEYS)
async def read_audit_keys(request: Request, response: Response) -> KeysView:
    """The keys that heads of the audit log verify with (Ed25519). They stay for as long as there are heads."""
    response.headers["Cache-Control"] = "public, max-age=60"
    database: Database = request.app.state.database
    async with database.transaction(Context(tenant_id=None), read_only=True) as tx:
        return KeysView(keys=await public_keys(tx))
