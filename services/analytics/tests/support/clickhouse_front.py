"""ClickHouse's HTTP interface before chdb, the same engine within a process: `python clickhouse_front.py PORT USER PASSWORD`.

What of the interface `analytics.lake.clickhouse` asks for: the statement as the body, `param_…` and `default_format` as parameters, user and key as
headers, a status and a code for what goes wrong.
"""

import re
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import chdb

_ONE_AT_A_TIME = threading.Lock()
_CODE = re.compile(r"Code: (\d+)")


class Front(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked = dict(parse_qsl(urlsplit(self.path).query))
        if (self.headers["X-ClickHouse-User"], self.headers["X-ClickHouse-Key"]) != (sys.argv[2], sys.argv[3]):
            self._answer(403, b"", {"X-ClickHouse-Exception-Code": "516"})
            return
        values: dict[str, Any] = {
            name.removeprefix("param_"): value for name, value in asked.items() if name.startswith("param_")
        }
        try:
            with _ONE_AT_A_TIME:
                found = chdb.query(body, asked["default_format"], params=values).bytes()
        except RuntimeError as error:
            code = _CODE.search(str(error))
            self._answer(500, str(error).encode(), {"X-ClickHouse-Exception-Code": code[1] if code else "0"})
            return
        self._answer(200, found, {})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Front).serve_forever()
