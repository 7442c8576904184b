"""What happens to an operation as lines of JSON on standard output, for programs (`--output ndjson`)."""

import json
import sys
from typing import Any, TextIO

from ktrdr.clock import Clock, SystemClock

VERSION = 1
TYPES = (
    "accepted",
    "state",
    "progress",
    "metric",
    "log",
    "connection",
    "cancel",
    "result",
    "error",
    "end",
)
OUTCOMES = ("finished", "detached", "lost", "timeout", "not_started")
_OBJECT = {"type": "object"}
SCHEMA: dict[str, Any] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "One line of `ktrdr ... --output ndjson`",
    "description": "`seq` is the number of the worker's report, null where the line was made by the client. "
    "Exactly one line of type `end` is written, always last.",
    "type": "object",
    "properties": {
        "v": {"const": VERSION},
        "seq": {"type": ["integer", "null"], "minimum": 0},
        "ts": {"type": "string", "format": "date-time"},
        "type": {"enum": list(TYPES)},
        "op": {"type": ["string", "null"]},
        "kind": {"type": ["string", "null"]},
        "status": {"type": ["string", "null"]},
        "data": _OBJECT,
    },
    "required": ["v", "seq", "ts", "type", "op", "kind", "status", "data"],
    "additionalProperties": False,
    "allOf": [
        {
            "if": {"properties": {"type": {"const": "end"}}},
            "then": {
                "properties": {
                    "data": {
                        "properties": {
                            "exit_code": {"type": "integer"},
                            "outcome": {"enum": list(OUTCOMES)},
                            "duration_s": {"type": "number", "minimum": 0},
                        },
                        "required": ["exit_code", "outcome", "duration_s"],
                    }
                }
            },
        },
        {
            "if": {"properties": {"type": {"const": "error"}}},
            "then": {"properties": {"data": {"required": ["message", "hint"]}}},
        },
    ],
}


class EventLines:
    """Writes one line an event, each at once; the last one is `end`, and there is only one."""

    def __init__(self, file: TextIO | None = None, clock: Clock | None = None) -> None:
        self._file = file
        self._clock = clock or SystemClock()
        self._began = self._clock.monotonic()
        self.ended = False
        self.operation_id: str | None = None
        self.kind: str | None = None
        self.status: str | None = None

    def write(self, event: str, data: dict[str, Any], *, seq: int | None = None) -> None:
        """Write one line; nothing more is written after the end."""
        if not self.ended:
            self._put(event, data, seq)

    def _put(self, event: str, data: dict[str, Any], seq: int | None) -> None:
        line = {
            "v": VERSION,
            "seq": seq,
            "ts": self._clock.now().isoformat(),
            "type": event,
            "op": self.operation_id,
            "kind": self.kind,
            "status": self.status,
            "data": data,
        }
        file = self._file or sys.stdout  # whichever it is now: written in the background or not
        file.write(json.dumps(line, allow_nan=False) + "\n")
        file.flush()

    def error(self, message: str, hint: str | None, **more: object) -> None:
        """Write what went wrong."""
        self.write("error", {"message": message, "hint": hint, **more})

    def end(self, exit_code: int, outcome: str) -> None:
        """Write the last line."""
        if self.ended:
            return
        self.ended = True
        took = max(self._clock.monotonic() - self._began, 0.0)
        self._put("end", {"exit_code": exit_code, "outcome": outcome, "duration_s": round(took, 3)}, None)


class NoEventLines(EventLines):
    """Writes nothing, for every other kind of output."""

    def _put(self, event: str, data: dict[str, Any], seq: int | None) -> None:
        """Drop the line."""
