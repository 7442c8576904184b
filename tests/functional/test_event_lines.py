"""`--output ndjson`: every line keeps to the published schema, and one end comes last on every path."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from ktrdr.cli.event_lines import SCHEMA
from support.installation import ROOT, Installation
from support.one_process import OneProcess

STRATEGY = str(ROOT / "examples" / "strategies" / "trend_momentum.yaml")
VALIDATOR = Draft202012Validator(SCHEMA, format_checker=Draft202012Validator.FORMAT_CHECKER)
DUMMY = ("dummy", "run", "--duration", "0.3", "--iterations", "3")
ENDLESS = ("dummy", "run", "--duration", "600", "--iterations", "6000")


def lines_of(text: str) -> list[dict[str, Any]]:
    """Return the lines, each of them valid, the last and only the last an end."""
    assert "\x1b" not in text
    lines: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        VALIDATOR.validate(line)
    assert [line["type"] == "end" for line in lines] == [False] * (len(lines) - 1) + [True]
    return lines


def ended(lines: list[dict[str, Any]]) -> tuple[int, str, str | None]:
    return lines[-1]["data"]["exit_code"], lines[-1]["data"]["outcome"], lines[-1]["status"]


def test_a_run_is_told_from_acceptance_to_result(ktrdr: Installation | OneProcess) -> None:
    lines = lines_of(ktrdr.run(*DUMMY, "--output", "ndjson").stdout)
    kinds = [line["type"] for line in lines]
    assert kinds[0] == "accepted"
    assert kinds[-2:] == ["result", "end"]
    assert lines[0]["data"]["follow"] == f"ktrdr operations follow {lines[0]['op']}"
    states = [line["status"] for line in lines if line["type"] == "state"]
    assert states[-1] == "completed"
    assert lines[-2]["data"]["iterations_completed"] == 3
    assert ended(lines) == (0, "finished", "completed")


def test_what_the_worker_logs_is_told_beside_the_progress(tmp_path: Path) -> None:
    ktrdr = Installation(tmp_path / "home")
    done = ktrdr.run(*DUMMY, "--logs", "--output", "ndjson")
    logged = [line["data"] for line in lines_of(done.stdout) if line["type"] == "log"]
    assert [line["message"] for line in logged] == ["Iterations begins"]
    assert logged[0]["level"] == "info"
    assert "Iterations begins" in done.stderr
    assert "Iterations begins" not in ktrdr.run(*DUMMY).stderr
    ktrdr.run("server", "stop", "--force")


def test_what_was_told_once_is_not_told_again(ktrdr: Installation | OneProcess) -> None:
    lines = lines_of(ktrdr.run(*DUMMY, "--output", "ndjson").stdout)
    told = [json.dumps([line["type"], line["seq"], line["status"], line["data"]]) for line in lines]
    assert len(set(told)) == len(told)


def test_a_training_tells_its_losses(ktrdr: Installation | OneProcess) -> None:
    ktrdr.run(
        "data", "load", "AAPL"
    )  # in one process progress is polled, the more slowly the longer it rests
    lines = lines_of(ktrdr.run("models", "train", STRATEGY, "--output", "ndjson").stdout)
    figures = [line["data"] for line in lines if line["type"] == "metric"]
    assert figures
    assert {"epoch", "train_loss", "val_loss"} <= set(figures[-1])


def test_a_failure_is_an_error_and_an_end(ktrdr: Installation | OneProcess) -> None:
    lines = lines_of(ktrdr.run("models", "train", STRATEGY, "TSLA", "--output", "ndjson", expect=1).stdout)
    assert lines[-2]["type"] == "error"
    assert "`sample` has no bars of TSLA 1d" in lines[-2]["data"]["message"]
    assert ended(lines) == (1, "finished", "failed")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("operations", "follow", "nope"), 5),
        (("models", "train", "nothing.yaml"), 2),
        (("dummy", "run", "--url", "nonsense"), 2),
        (("data", "import", "nothing.csv", "X"), 2),
    ],
)
def test_what_never_began_has_an_end_too(
    ktrdr: Installation | OneProcess, arguments: tuple[str, ...], code: int
) -> None:
    lines = lines_of(ktrdr.run(*arguments, "--output", "ndjson", expect=code).stdout)
    assert [line["type"] for line in lines] == ["error", "end"]
    assert ended(lines) == (code, "not_started", None)


@pytest.mark.parametrize("output", [("--output", "ndjson"), ("-o", "ndjson"), ("--output=ndjson",)])
@pytest.mark.parametrize("wrong", [("--nonsense",), ("--iterations", "many"), ("--iterations",)])
def test_a_command_line_that_is_refused_has_an_end_too(
    ktrdr: Installation | OneProcess, output: tuple[str, ...], wrong: tuple[str, ...]
) -> None:
    lines = lines_of(ktrdr.run("dummy", "run", *output, *wrong, expect=2).stdout)
    assert ended(lines) == (2, "not_started", None)


def test_an_error_of_our_own_has_an_end_too(tmp_path: Path) -> None:
    """Something nobody foresaw: here settings that are none."""
    code = "from ktrdr.cli.app import main; main(['dummy', 'run', '-o', 'ndjson'], surroundings=1)"
    ktrdr = Installation(tmp_path / "home")
    done = subprocess.run(
        [ktrdr.python, "-c", code], env=ktrdr.environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 70
    assert ended(lines_of(done.stdout)) == (70, "not_started", None)


@pytest.mark.parametrize(("signum", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_before_anything_was_sent_ends_the_lines_too(tmp_path: Path, signum: int, code: int) -> None:
    """The strategy is a pipe that nobody has written to yet."""
    ktrdr = Installation(tmp_path / "home")
    strategy = tmp_path / "strategy.yaml"
    os.mkfifo(strategy)
    command = [ktrdr.python, "-m", "ktrdr", "models", "train", str(strategy), "-o", "ndjson"]
    with (
        subprocess.Popen(command, env=ktrdr.environment, stdout=subprocess.PIPE, text=True) as process,
        strategy.open("w"),
    ):
        process.send_signal(signum)
        out, _ = process.communicate()
    assert ended(lines_of(out)) == (code, "not_started", None)
    assert process.returncode == -signum


def test_detaching_is_an_end_of_the_following_only(ktrdr: Installation | OneProcess) -> None:
    lines = lines_of(ktrdr.run(*DUMMY, "--detach", "--output", "ndjson").stdout)
    assert [line["type"] for line in lines] == ["accepted", "end"]
    assert ended(lines)[:2] == (0, "detached")


def test_an_end_by_somebody_else_is_told(ktrdr: Installation | OneProcess) -> None:
    operation_id = ktrdr.run(*ENDLESS, "--detach", "-q").stdout.strip()
    ktrdr.run("operations", "cancel", operation_id)
    lines = lines_of(ktrdr.run("operations", "follow", operation_id, "-o", "ndjson", expect=3).stdout)
    assert ended(lines) == (3, "finished", "cancelled")


@pytest.mark.parametrize(
    ("signum", "code", "outcome", "on_interrupt"),
    [
        (signal.SIGINT, 130, "finished", "cancel"),
        (signal.SIGTERM, 143, "finished", "cancel"),
        (signal.SIGINT, 130, "detached", "detach"),
        (signal.SIGHUP, 129, "detached", "cancel"),
    ],
)
def test_a_signal_ends_the_lines_properly(
    tmp_path: Path, signum: int, code: int, outcome: str, on_interrupt: str
) -> None:
    ktrdr = Installation(tmp_path / "home")
    command = [ktrdr.python, "-m", "ktrdr", *ENDLESS, "-o", "ndjson", "--on-interrupt", on_interrupt]
    with subprocess.Popen(
        command, env=ktrdr.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout
        text = next(process.stdout)
        while '"progress"' not in text:
            text += next(process.stdout)
        process.send_signal(signum)
        text += process.stdout.read()
    lines = lines_of(text)
    assert ended(lines)[:2] == (code, outcome)
    assert process.returncode == -signum
    assert ktrdr.json("operations", "status", "@last")["status"] == (
        "cancelled" if outcome == "finished" else "running"
    )
    ktrdr.run("server", "stop", "--force")
