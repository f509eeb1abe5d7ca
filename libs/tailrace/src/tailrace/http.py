"""What cannot be parsed as HTTP is refused like everything else: with a problem document, and the connection ends."""

import json

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from tailrace.ids import uuid7
from tailrace.problems import MEDIA_TYPE, BadRequest


class HttpProtocol(H11Protocol):
    """uvicorn's strict HTTP/1.1 protocol; only the words of its 400 differ."""

    def send_400_response(self, msg: str) -> None:
        """Answer once, if no answer has begun, and close."""
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            self.transport.write(self._refusal(msg))
        self.transport.close()

    def _refusal(self, detail: str) -> bytes:
        request_id = str(uuid7())
        body = json.dumps(
            {
                "type": f"urn:tailrace:problem:{BadRequest.slug}",
                "title": BadRequest.title,
                "status": BadRequest.status,
                "detail": detail,
                "request_id": request_id,
            }
        ).encode()
        headers = [
            ("Content-Type", MEDIA_TYPE),
            ("Content-Length", str(len(body))),
            ("X-Request-Id", request_id),
            ("Connection", "close"),
        ]
        parts = [
            self.conn.send(h11.Response(status_code=BadRequest.status, headers=headers, reason="Bad Request")),
            self.conn.send(h11.Data(data=body)),
            self.conn.send(h11.EndOfMessage()),
        ]
        return b"".join(part or b"" for part in parts)
