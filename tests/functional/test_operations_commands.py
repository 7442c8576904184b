"""The commands of operations and of dummy, against a server in process that answers as written down."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from ktrdr.cli.app import main
from ktrdr.cli.session import Surroundings
from ktrdr.settings import Settings
from support.scripted_api import operation

OPERATIONS = [
    operation(
        "running", 3, operation_id="op_dummy_bbb", operation_type="dummy", metadata={"description": "b"}
    ),
    operation("completed", 3, operation_id="op_dummy_abc", operation_type="dummy", metadata={}),
    operation("failed", 3, operation_id="op_other_abd", operation_type="other", metadata={}),
]
RESULT = {"iterations_completed": 20, "total_time": 1.25}


class Server:
    """Knows three operations, and completes any it is told to start."""

    def __init__(self) -> None:
        self.requests: list[httpx2.Request] = []
        self.operations = {each["operation_id"]: dict(each) for each in OPERATIONS}

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        self.requests.append(request)
        path = request.url.path.removeprefix("/api/v1/")
        if path == "operations":
            wanted = int(request.url.params.get("limit", 100))
            page = list(self.operations.values())[:wanted]
            return httpx2.Response(200, json={"data": page, "total_count": 3, "active_count": 1})
        if path == "dummy/start":
            return self._start(request.headers["idempotency-key"])
        operation_id = path.removeprefix("operations/").removesuffix("/cancel")
        if operation_id not in self.operations:
            return httpx2.Response(404, json={"detail": f"there is no operation `{operation_id}`"})
        return httpx2.Response(200, json={"data": self._answer(operation_id, path.endswith("/cancel"))})

    def _start(self, key: str) -> httpx2.Response:
        self.operations[key] = operation(
            "completed", 9, operation_id=key, operation_type="dummy", result_summary=RESULT
        )
        return httpx2.Response(202, json={"data": {"operation_id": key, "status": "pending"}})

    def _answer(self, operation_id: str, is_cancel: bool) -> dict[str, Any]:
        shown = self.operations[operation_id]
        asked = {"cancel_requested": {"by": "me", "reason": "x"}} if is_cancel else {}
        return {**shown, **asked}


class CommandLine:
    """Runs the real command line in this process."""

    def __init__(self, home: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.server = Server()
        self._settings = Settings.load({"KTRDR_HOME": str(home)})
        self._capture = capture

    def __call__(self, *arguments: str) -> tuple[int, str, str]:
        """Return exit code, standard output and standard error."""
        surroundings = Surroundings(self._settings, httpx2.MockTransport(self.server))
        with pytest.raises(SystemExit) as ended:
            main(list(arguments), surroundings)
        out, err = self._capture.readouterr()
        return int(ended.value.code or 0), out, err

    def json(self, *arguments: str) -> Mapping[str, Any]:
        answer: Mapping[str, Any] = json.loads(self(*arguments, "--output", "json")[1])
        return answer


@pytest.fixture
def ktrdr_in_process(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    return CommandLine(tmp_path, capsys)


def test_dummy_run_sends_its_arguments_and_shows_its_result(ktrdr_in_process: CommandLine) -> None:
    code, out, err = ktrdr_in_process("dummy", "run", "--duration", "1.5", "--iterations", "20")
    assert code == 0
    assert json.loads(ktrdr_in_process.server.requests[0].content) == {"duration": 1.5, "iterations": 20}
    assert out == "Iterations completed  20\nTotal time            1.2 s\n"
    assert "op_dummy_" in err


def test_quiet_leaves_only_the_result(ktrdr_in_process: CommandLine) -> None:
    _, out, err = ktrdr_in_process("dummy", "run", "-q")
    assert out.startswith("Iterations completed")
    assert err == ""


def test_json_is_one_object_with_result_and_exit_code(ktrdr_in_process: CommandLine) -> None:
    answer = ktrdr_in_process.json("dummy", "run", "--no-progress")
    assert (answer["status"], answer["exit_code"], answer["result"]) == ("completed", 0, RESULT)
    assert answer["operation"]["operation_id"] == answer["operation_id"]


@pytest.mark.parametrize("arguments", [("--duration", "0"), ("--iterations", "-1"), ("--iterations", "x")])
def test_bad_arguments_are_exit_2_and_nothing_is_sent(
    ktrdr_in_process: CommandLine, arguments: tuple[str, str]
) -> None:
    code, _, err = ktrdr_in_process("dummy", "run", *arguments)
    assert code == 2
    assert arguments[0] in err
    assert ktrdr_in_process.server.requests == []


def test_the_list_is_newest_first_with_whole_ids(ktrdr_in_process: CommandLine) -> None:
    code, out, _ = ktrdr_in_process("operations", "list")
    assert code == 0
    assert [line.split()[:3] for line in out.splitlines()[1:]] == [
        ["op_dummy_bbb", "dummy", "running"],
        ["op_dummy_abc", "dummy", "completed"],
        ["op_other_abd", "other", "failed"],
    ]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "There are no operations."),
        (("--active",), "No operation is active."),
        (("--active", "--kind", "dummy"), "No such operation is active."),
        (("--kind", "training"), "There is no such operation."),
        (("--status", "failed"), "There is no such operation."),
    ],
)
def test_an_empty_list_says_on_standard_error_what_there_is_none_of(
    ktrdr_in_process: CommandLine, options: tuple[str, ...], words: str
) -> None:
    """Where there is history, nothing being active is another matter."""
    ktrdr_in_process.server.operations.clear()
    assert ktrdr_in_process("operations", "list", *options) == (0, "", f"{words}\n")


def test_the_list_as_json_counts(ktrdr_in_process: CommandLine) -> None:
    answer = ktrdr_in_process.json("operations", "list", "--active")
    assert (len(answer["operations"]), answer["total_count"], answer["active_count"]) == (3, 3, 1)
    assert ktrdr_in_process.server.requests[0].url.params["active_only"] == "true"


def test_status_by_unique_beginning_and_by_last(ktrdr_in_process: CommandLine) -> None:
    assert ktrdr_in_process.json("operations", "status", "op_dummy_a")["operation_id"] == "op_dummy_abc"
    assert ktrdr_in_process.json("operations", "status", "@last")["operation_id"] == "op_dummy_bbb"
    _, out, _ = ktrdr_in_process("operations", "status", "op_dummy_bbb")
    assert "running" in out


@pytest.mark.parametrize(("given", "code"), [("op_dummy", 2), ("op_nothing", 5)])
def test_a_beginning_must_be_of_one_operation(ktrdr_in_process: CommandLine, given: str, code: int) -> None:
    ended, _, err = ktrdr_in_process("operations", "status", given)
    assert ended == code
    assert f"`{given}`" in err
    assert "hint: " in err


def test_last_of_nothing_is_not_found(ktrdr_in_process: CommandLine) -> None:
    ktrdr_in_process.server.operations.clear()
    assert ktrdr_in_process("operations", "status", "@last")[0] == 5


def test_follow_of_a_finished_operation_shows_its_result(ktrdr_in_process: CommandLine) -> None:
    ktrdr_in_process("dummy", "run")
    started = list(ktrdr_in_process.server.operations)[-1]
    code, out, _ = ktrdr_in_process("operations", "follow", started)
    assert (code, out.splitlines()[0]) == (0, "Iterations completed  20")


def test_follow_of_an_unknown_kind_shows_what_there_is(ktrdr_in_process: CommandLine) -> None:
    done = operation(
        "completed", 3, operation_id="op_new_z", operation_type="new", result_summary={"a": "\x1b"}
    )
    ktrdr_in_process.server.operations["op_new_z"] = done
    assert ktrdr_in_process("operations", "follow", "op_new")[:2] == (0, "a: \\e\n")


def test_follow_of_a_failed_operation_ends_as_it_did(ktrdr_in_process: CommandLine) -> None:
    code, _, err = ktrdr_in_process("operations", "follow", "op_other_abd")
    assert code == 1
    assert "error: other failed" in err


def test_an_operation_that_is_ending_is_shown_as_cancelling(ktrdr_in_process: CommandLine) -> None:
    ktrdr_in_process.server.operations["op_dummy_bbb"]["cancel_requested"] = {"by": "me", "reason": "x"}
    assert "cancelling" in ktrdr_in_process("operations", "status", "op_dummy_bbb")[1]


def test_a_dummy_cancelled_by_others_shows_how_far_it_got(ktrdr_in_process: CommandLine) -> None:
    ktrdr_in_process.server.operations["op_dummy_abc"]["status"] = "cancelled"
    code, out, _ = ktrdr_in_process("operations", "follow", "op_dummy_abc")
    assert (code, out) == (3, "Iterations completed  5\n")


def test_cancel_tells_of_those_it_reached_when_another_is_unknown(ktrdr_in_process: CommandLine) -> None:
    code, out, err = ktrdr_in_process("operations", "cancel", "nope", "op_dummy_bbb")
    assert code == 5
    assert out == "op_dummy_bbb is being cancelled\n"
    assert "there is no operation `nope`" in err


def test_fault_16_cancel_says_what_is_not_stored_yet(ktrdr_in_process: CommandLine) -> None:
    ktrdr_in_process.server.operations["op_dummy_bbb"]["warnings"] = ["not stored yet"]
    code, out, err = ktrdr_in_process("operations", "cancel", "op_dummy_bbb")
    assert (code, out) == (0, "op_dummy_bbb is being cancelled\n")
    assert err == "warning: op_dummy_bbb: not stored yet\n"


def test_ids_are_whole_however_narrow_the_output(
    ktrdr_in_process: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    listed = ktrdr_in_process("operations", "list")[1].splitlines()
    assert [line.split()[0] for line in listed[1:]] == ["op_dummy_bbb", "op_dummy_abc", "op_other_abd"]
    assert len(listed) == 4


def test_cancel_takes_several_and_tells_each_truth(ktrdr_in_process: CommandLine) -> None:
    code, out, _ = ktrdr_in_process("operations", "cancel", "op_dummy_bbb", "op_other", "--reason", "why")
    assert code == 0
    assert out == "op_dummy_bbb is being cancelled\nop_other_abd has ended already: failed\n"
    bodies = [json.loads(each.content) for each in ktrdr_in_process.server.requests if each.method == "POST"]
    assert bodies == [{"reason": "why", "force": False}] * 2
    assert len(ktrdr_in_process.json("operations", "cancel", "op_dummy_bbb", "--force")["operations"]) == 1


@pytest.mark.parametrize("url", ["research", "ftp://x", "http://", "http://a:b"])
def test_an_address_that_is_none_is_a_usage_error(ktrdr_in_process: CommandLine, url: str) -> None:
    code, _, err = ktrdr_in_process("operations", "list", "--url", url)
    assert code == 2
    assert "hint: write it as http://host:port" in err


def test_an_unknown_command_suggests_the_nearest(ktrdr_in_process: CommandLine) -> None:
    code, _, err = ktrdr_in_process("operation", "list")
    assert code == 2
    assert "Did you mean 'operations'?" in err


def test_the_version_is_written(ktrdr_in_process: CommandLine) -> None:
    code, out, _ = ktrdr_in_process("--version")
    assert (code, out.split()[0]) == (0, "ktrdr")
