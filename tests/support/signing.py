"""Signs what a partner says, as Standard Webhooks has it."""

import base64
import hmac
import time
from collections.abc import Generator

import httpx2


class Signing(httpx2.Auth):
    """Signs each request; `at` is when, in seconds of the epoch, and `secret` is in base64 behind `whsec_`. A header that is there stays."""

    requires_request_body = True

    def __init__(self, secret: str, *, id: str = "msg_1", at: float | None = None) -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._id, self._at = id, at

    def headers(self, body: bytes) -> dict[str, str]:
        when = str(int(time.time() if self._at is None else self._at))
        signature = base64.b64encode(hmac.digest(self._key, f"{self._id}.{when}.".encode() + body, "sha256")).decode()
        return {"webhook-id": self._id, "webhook-timestamp": when, "webhook-signature": f"v1,{signature}"}

    def auth_flow(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, None]:
        for name, value in self.headers(request.content).items():
            request.headers.setdefault(name, value)
        yield request
