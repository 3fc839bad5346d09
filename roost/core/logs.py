"""Log lines without anybody's secrets."""

import logging
import re
import traceback
from datetime import UTC, datetime
from typing import Any

_TOKEN_PATH = re.compile(r"/(portal|office)/[^\s\"']*")


class WithoutPaths(logging.Filter):
    """Shortens every address of a page to its door: a path may hold a mailed link's token."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        record.msg, record.args = _TOKEN_PATH.sub(r"/\1/…", message), None
        return True


class Line(logging.Formatter):
    """One line: time in UTC, level, logger, message; then where an exception came from.

    Of an exception the type and the places in the code are kept, never its words: a database
    puts the values of a row into them.
    """

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:
        return datetime.fromtimestamp(record.created, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def formatException(self, ei: Any) -> str:
        kind, error, trace = ei
        places = "".join(traceback.format_tb(trace))
        cause = f" from {type(error.__cause__).__name__}" if error and error.__cause__ else ""
        return f"{places}{kind.__name__ if kind else 'Exception'}{cause}"

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s %(message)s")
