"""What nginx asks whether a token is good (`auth_request`): `python -m edge.helper PORT KEYS.json`. It checks all that the gateway checks of one."""

import json
import sys
from pathlib import Path
from typing import Any

import uvicorn
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tailrace.http.auth import LEEWAY

_CLAIMS = jwt.JWTClaimsRegistry(
    leeway=LEEWAY, iss={"essential": True, "value": "tailrace"}, aud={"essential": True, "value": "tailrace"}
)


def app_for(keys: KeySet) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        status, headers = 401, []
        token = dict(scope["headers"]).get(b"authorization", b"").partition(b" ")[2].decode()
        try:
            claims = jwt.decode(token, keys, algorithms=["RS256"]).claims
            _CLAIMS.validate(claims)
            status, headers = 204, [(b"x-tenant", claims["tenant"].encode())]
        except (JoseError, ValueError, KeyError, TypeError):
            pass
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    return app


if __name__ == "__main__":
    published = KeySet.import_key_set(json.loads(Path(sys.argv[2]).read_text()))
    uvicorn.run(app_for(published), port=int(sys.argv[1]), log_level="error", access_log=False, lifespan="off")
