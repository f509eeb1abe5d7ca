"""What goes wrong when somebody switches it on: for a partner and a path, each time or every n-th, until it is switched off again."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field
from starlette.types import Receive, Send

Kind = Literal["status", "delay", "drop", "garbage", "truncated", "content_type"]


class Fault(BaseModel):
    """One thing that goes wrong."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)

    partner: str = "*"
    """Whose paths: carrier, chat, tax, mail, smtp, bank, verification, or `*` for all. Of smtp, `status` is a reply code, and all else is a drop."""
    path: str = ""
    """Only paths that begin with this, below the partner's own."""
    kind: Kind
    """`status` answers with it; `delay` answers late; `drop` closes the connection; `garbage` is no JSON; `truncated` ends before its length;
    `content_type` says HTML of what is JSON."""
    status: int = Field(default=503, ge=400, le=599)
    """With `status`: which."""
    seconds: float = Field(default=1.0, ge=0, le=120)
    """With `delay`: how late; with `status`: what `Retry-After` asks for, when it is above 0."""
    every: int = Field(default=1, ge=1)
    """Each n-th request alone."""
    times: int | None = Field(default=None, ge=1)
    """After so many it is over by itself."""
    first: bool = False
    """Whether the partner does what it is asked before that goes wrong: it has happened, and nobody hears so."""


class Faults:
    """Those that are on, in order; the first that fits is the one."""

    def __init__(self) -> None:
        self.on: list[Fault] = []
        self._met: dict[int, int] = {}

    def switch(self, faults: list[Fault]) -> None:
        """These, and no others."""
        self.on, self._met = list(faults), {}

    def due(self, partner: str, path: str) -> Fault | None:
        """What goes wrong with this request."""
        for number, fault in enumerate(self.on):
            if fault.partner in {"*", partner} and path.startswith(fault.path):
                met = self._met[number] = self._met.get(number, 0) + 1
                struck = met // fault.every
                if met % fault.every == 0 and (fault.times is None or struck <= fault.times):
                    return fault
        return None


def _transport(receive: Receive) -> Any:
    """The connection itself, which ASGI does not show: `receive` is a method of uvicorn's cycle of a request."""
    return receive.__self__.transport  # type: ignore[attr-defined]


_SAID = {
    "garbage": (200, b"application/json", b"\x00\xff<<not json at all"),
    "content_type": (200, b"text/html", b"<html><body>OK</body></html>"),
}


async def spoil(fault: Fault, receive: Receive, send: Send) -> None:
    """Answer as the fault has it. Where the connection is cut, it is waited for until it is gone, or uvicorn would miss the answer."""
    if fault.kind == "drop":
        _transport(receive).abort()
        await receive()
        return
    if fault.kind == "truncated":
        start = {"type": "http.response.start", "status": 200}
        headers = [(b"content-type", b"application/json"), (b"content-length", b"1000")]
        await send({**start, "headers": headers})
        await send({"type": "http.response.body", "body": b'{"half": ', "more_body": True})
        # Closed behind what was written, which arrives.
        _transport(receive).close()
        await receive()
        return
    if fault.kind == "status":
        headers = [(b"retry-after", f"{fault.seconds:g}".encode())] if "seconds" in fault.model_fields_set else []
        status, kind, body = fault.status, b"application/problem+json", b'{"title": "Out of order"}'
    else:
        headers, (status, kind, body) = [], _SAID[fault.kind]
    length = (b"content-length", str(len(body)).encode())
    start = {"type": "http.response.start", "status": status, "headers": [(b"content-type", kind), length, *headers]}
    await send(start)
    await send({"type": "http.response.body", "body": body})
