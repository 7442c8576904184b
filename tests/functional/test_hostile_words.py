"""Whatever a server, a file or a worker says, nothing but our own words reaches the terminal."""

import json
import re
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ktrdr.cli.app import main
from ktrdr.cli.session import Surroundings
from ktrdr.settings import Settings
from support.scripted_api import operation

HOSTILE = "\x1b]0;title\x07\x1b]52;c;eA==\x07\x1b[2J\x9b31m\x08\x0d\x7f\u202eevil\u2066[/red][bold]x"
FORBIDDEN = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
KEPT = frozenset({"operation_id", "status", "cursor", "started_at", "completed_at", "server_time"})
COMMANDS = (
    ("operations", "list"),
    ("operations", "status", "op_a"),
    ("operations", "follow", "op_a"),
    ("operations", "wait", "op_a"),
    ("operations", "cancel", "op_a"),
    ("operations", "logs", "op_a"),
    ("operations", "retry", "op_a"),
    ("models", "list"),
    ("models", "show", "trend"),
    ("data", "list"),
    ("run", "dummy"),
)


def spoiled(shape: Any) -> Any:
    """Return the shape with every string replaced, but for what the machine itself reads."""
    if isinstance(shape, dict):
        return {key: value if key in KEPT else spoiled(value) for key, value in shape.items()}
    if isinstance(shape, list):
        return [spoiled(each) for each in shape]
    return HOSTILE if isinstance(shape, str) else shape


def hostile_operation(status: str) -> dict[str, Any]:
    error = {"reason": "x", "code": "x", "detail": "x", "hint": "x"}
    whole = operation(
        status,
        3,
        operation_id="op_a",
        completed_at="2026-01-01T00:00:02+00:00",
        error=error if status == "failed" else None,
        error_message="x" if status == "failed" else None,
        metadata={"description": "x", "started_by": "x", "retry_of": "x"},
        cancel_requested={"at": "x", "by": "x", "reason": "x"},
        result_summary={"name": "x"},
    )
    changed: dict[str, Any] = spoiled(whole)
    return changed


LINE = dict.fromkeys(("ts", "level", "source", "message"), HOSTILE)
MODEL = {
    "name": "x",
    "created_at": "x",
    "size": 3,
    "model": {
        "test_accuracy": 0.5,
        "created_at": "x",
        "features": ["x"],
        "classes": ["x"],
        "symbols": ["x"],
        "verdict": "x",
        "architecture": {"hidden": [1]},
    },
}
SERIES = {"symbol": "x", "timeframe": "x", "first": "x", "last": "x", "provider": "x", "rows": 3}
ANSWERS: dict[str, Any] = {
    "operation-kinds": [{"name": "dummy", "start_path": "/api/v1/dummy/start"}],
    "models": [spoiled(MODEL)],
    "trend": spoiled(MODEL),
    "data": [spoiled(SERIES)],
    "retry": {"operation_id": HOSTILE},
}


class HostileServer:
    """Answers everything with hostile strings in every field."""

    def __init__(self, status: str) -> None:
        self._operation = hostile_operation(status)

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        path = request.url.path.removeprefix("/api/v1/")
        if path.endswith("/events"):
            return httpx2.Response(404)
        if path == "operations":
            return httpx2.Response(200, json={"data": [self._operation], "total_count": 1, "active_count": 0})
        if path.endswith("/logs"):
            after = int(request.url.params["after"])
            return self._data({"lines": [LINE] if not after else [], "after": 1, "ended": True})
        return self._data(ANSWERS.get(path.split("/")[-1], self._operation))

    @staticmethod
    def _data(value: Any) -> httpx2.Response:
        return httpx2.Response(200, json={"data": value})


@pytest.mark.parametrize("status", ["completed", "failed", "cancelled"])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda words: "_".join(words[:2]))
def test_fault_66_no_word_of_a_server_steers_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...], status: str
) -> None:
    settings = Settings.load({"KTRDR_HOME": str(tmp_path)})
    with pytest.raises(SystemExit):
        main(list(command), Surroundings(settings, httpx2.MockTransport(HostileServer(status))))
    out, err = capsys.readouterr()
    assert not FORBIDDEN.search(out + err)
    assert "Traceback" not in err
    assert "\\e]0;title" in out + err or command[1] in {"wait", "cancel"}


def test_sec_24_no_escape_is_possible_in_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings.load({"KTRDR_HOME": str(tmp_path)})
    for form in ("json", "ndjson"):
        with pytest.raises(SystemExit):
            transport = httpx2.MockTransport(HostileServer("failed"))
            main(["operations", "follow", "op_a", "-o", form, "-q"], Surroundings(settings, transport))
        out = capsys.readouterr().out
        assert out.isascii()
        assert "\x1b" not in out
        for line in [out] if form == "json" else out.splitlines():
            json.loads(line)
