"""A worker's log is one JSON object a line, whatever was said."""

import json
import logging
import sys

import pytest

from ktrdr.worker.log_lines import LONGEST_FIELD, JsonLines


def logged(message: str, traceparent: str | None = None, *, failing: bool = False) -> str:
    try:
        raise ValueError("wrong\nvalue")
    except ValueError:
        found = sys.exc_info() if failing else None
    record = logging.LogRecord("ktrdr.x", logging.INFO, __file__, 1, message, None, found)
    return JsonLines(traceparent).format(record)


@pytest.mark.parametrize(
    "message", ["plain", 'first\n{"level": "error", "message": "forged"}', "\x1b[2J\u202e"]
)
def test_sec_25_no_message_can_pretend_to_be_another(message: str) -> None:
    line = logged(message)
    assert line.isascii()
    assert "\n" not in line
    assert "\x1b" not in line
    assert json.loads(line)["message"] == message


def test_sec_25_a_field_has_an_end() -> None:
    assert len(json.loads(logged("x" * 100_000))["message"]) == LONGEST_FIELD


def test_an_exception_and_a_trace_are_fields() -> None:
    line = json.loads(logged("it failed", "00-1-2-01", failing=True))
    assert line["exception"].endswith("ValueError: wrong\nvalue")
    assert line["traceparent"] == "00-1-2-01"
    assert {"traceparent", "exception"}.isdisjoint(json.loads(logged("it works")))
