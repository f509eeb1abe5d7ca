"""One JSON line per event, with tenant, request and cause where they are known, and no personal data."""

import json
import logging
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import structlog

from tailrace.observability.log_files import turn_over

# PostgreSQL's details quote the row at fault.
_DETAIL = re.compile(r"\bDETAIL:.*")

_HANDED_OVER = structlog.stdlib.ProcessorFormatter.wrap_for_formatter
_AGAIN_AFTER = 30.0
"""Seconds for which a library that says the same thing again is not listened to."""

_ENCODED = json.JSONEncoder(default=str).encode
log: Any = structlog.get_logger("tailrace")


class _Output(logging.Handler):
    """Standard output, which may be a file that is turned over when it is full; looked up for each line, since a test or a command may replace it."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            _write(self.format(record))
        except Exception:
            self.handleError(record)


def _write(line: str) -> None:
    try:
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        turn_over()
    except OSError:
        # A full disk: the process that logs goes on with its work. Standard error may be the same file, and would keep what is said of it.
        return


class NotAgain(logging.Filter):
    """Lets the same line of a library through once in `seconds`; the next one tells how many were `left_out`.

    A client that cannot reach its broker says so ten times a second, for as long as that lasts.
    """

    def __init__(self, library: str, seconds: float = _AGAIN_AFTER) -> None:
        super().__init__(library)
        self._seconds = seconds
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if not super().filter(record):
            return True
        line, now = (record.name, record.getMessage()), time.monotonic()
        until, left_out = self._said.get(line, (0.0, 0))
        if now < until:
            self._said[line] = (until, left_out + 1)
            return False
        self._said = {other: (end, count) for other, (end, count) in self._said.items() if now < end}
        self._said[line] = (now + self._seconds, 0)
        if left_out:
            record.left_out = left_out
        return True


def said(event: str, **fields: Any) -> None:
    """`log.info(event, …)` for the line that every request has: the same text at a tenth of the cost, since nothing in it needs to be hidden. A field
    that is None is left out, also where the context has it."""
    root = logging.getLogger()
    if not _is_as_configured(root):
        log.info(event, **{name: str(field) if isinstance(field, UUID) else field for name, field in fields.items()})
    elif root.level <= logging.INFO:
        at = datetime.now(UTC).replace(tzinfo=None).isoformat()
        left_out = [name for name, field in fields.items() if field is None]
        line = {"event": event, **structlog.contextvars.get_contextvars(), **fields, "level": "info"}
        for name in left_out:
            del line[name]
        _write(_ENCODED({**line, "timestamp": f"{at}Z"}))


def _is_as_configured(root: logging.Logger) -> bool:
    """Whether lines go where `configure` has them go: a test, or a program around this, may take them instead."""
    processors = structlog.get_config()["processors"]
    return processors[-1:] == [_HANDED_OVER] and any(isinstance(each, _Output) for each in root.handlers)


def configure(service: str, level: str = "INFO") -> None:
    """Write structured lines to standard output; the standard library's loggers (uvicorn, aiokafka) included."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
        _without_details,
    ]
    structlog.configure(
        processors=[*shared, _HANDED_OVER],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=False,
    )
    handler = _Output()
    handler.addFilter(NotAgain("aiokafka"))
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.ExtraAdder(allow=["left_out"]), *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for noisy in ("aiokafka", "uvicorn.access"):
        logging.getLogger(noisy).setLevel("WARNING")
    structlog.contextvars.bind_contextvars(service=service)


def _without_details(_: Any, __: str, line: Any) -> Any:
    for name in ("event", "exception", "reason"):
        if isinstance(line.get(name), str):
            line[name] = _DETAIL.sub("DETAIL: [hidden]", line[name])
    return line
