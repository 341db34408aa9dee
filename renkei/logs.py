"""Structured logs of a process, ours and the libraries', one line each on standard error."""

import logging
import sys

import structlog

SHARED = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
)
QUIET = ("httpx", "httpcore", "alembic", "uvicorn", "websockets")


def configure_logs(level: str, process: str) -> None:
    """JSON for machines; for a terminal, words. `process` stands in every line."""
    structlog.contextvars.bind_contextvars(process=process)
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_formatter())
    logging.basicConfig(handlers=[handler], level=level.upper(), force=True)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)


def _formatter() -> structlog.stdlib.ProcessorFormatter:
    """Tracebacks without the values of variables: those may be secrets."""
    terminal = sys.stderr.isatty()
    last: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
        if terminal
        else structlog.processors.JSONRenderer()
    )
    frames = structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    errors = () if terminal else (structlog.processors.ExceptionRenderer(frames),)
    remove_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=SHARED, processors=[remove_meta, *errors, last]
    )
