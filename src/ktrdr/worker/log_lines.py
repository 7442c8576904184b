"""What a worker logs: a JSON object a line, so that no message can pretend to be another."""

import json
import logging
import sys
from datetime import UTC, datetime

LONGEST_FIELD = 4096


class JsonLines(logging.Formatter):
    """Writes a record as one line: time, level, source, message, and the trace it belongs to."""

    def __init__(self, traceparent: str | None = None) -> None:
        super().__init__()
        self._trace = {"traceparent": traceparent} if traceparent else {}

    def format(self, record: logging.LogRecord) -> str:
        """Return the line; a message and its traceback are cut at `LONGEST_FIELD` characters each."""
        line = {
            "ts": datetime.fromtimestamp(record.created, UTC).isoformat(),
            "level": record.levelname.lower(),
            "source": record.name,
            "message": record.getMessage()[:LONGEST_FIELD],
            **self._trace,
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)[-LONGEST_FIELD:]
        return json.dumps(line)


def keep_log(traceparent: str | None = None) -> None:
    """Send what this process logs to its standard error: everything of ours, and warnings of others."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines(traceparent))
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("ktrdr").setLevel(logging.INFO)
    logging.captureWarnings(True)
