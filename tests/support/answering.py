"""A server that answers what a test says, for a client that is to be seen at its work."""

import json
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Answer = tuple[int, dict[str, str], Any] | None
"""Status, headers, body; None cuts the connection without a word."""


class Server:
    """Answers as `does` says, and keeps what it was asked: method, path, headers."""

    def __init__(self) -> None:
        self.does: Callable[[str, str, Any], Answer] = lambda method, path, headers: (200, {}, {})
        self.asked: list[tuple[str, str, Any]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def _answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length", 0)))
                outer.asked.append((self.command, self.path, self.headers))
                said = outer.does(self.command, self.path, self.headers)
                if said is None:
                    self.close_connection = True
                    return
                body = json.dumps(said[2]).encode()
                self.send_response(said[0])
                for name, value in {
                    "Content-Type": "application/json",
                    "Content-Length": str(len(body)),
                    **said[1],
                }.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PUT = do_DELETE = _answer  # noqa: N815

            def log_message(self, *_: object) -> None:
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"

    def heads(self, name: str) -> list[str | None]:
        return [headers.get(name) for _, _, headers in self.asked]


def script(*answers: Answer) -> Callable[[str, str, Any], Answer]:
    """These answers, one after another."""
    left = iter(answers)
    return lambda method, path, headers: next(left)


def tokens_of(access: str, seconds: int = 3600) -> dict[str, Any]:
    """What a log-in, or a renewal, answers."""
    return {"access_token": access, "refresh_token": f"next-{access}", "expires_in": seconds}
