"""One JSON line per event, with tenant, request and cause where they are known, and no personal data."""

import logging
import re
import sys
from typing import Any, TextIO

import structlog

from tailrace.log_files import turn_over

# PostgreSQL's details quote the row at fault.
_DETAIL = re.compile(r"\bDETAIL:.*")

log: Any = structlog.get_logger("tailrace")


class _Output(logging.StreamHandler[TextIO]):
    """Standard output, which may be a file that is turned over when it is full."""

    def emit(self, record: logging.LogRecord) -> None:
        super().emit(record)
        turn_over()


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
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelName(level)),
        cache_logger_on_first_use=False,
    )
    handler = _Output(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
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
