"""Readers that stop reading: signals act all the same, and what is read at last is whole and in order."""

import fcntl
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from select import select

import pytest

from support.installation import HANG_GUARD, ROOT, Installation

ENDLESS = ("dummy", "run", "--duration", "600", "--iterations", "6000")
BRIEF = ("dummy", "run", "--duration", "0.2", "--iterations", "2")
LINES = ("--output", "ndjson")
INTERRUPT, TERMINATE, HANG_UP = signal.SIGINT, signal.SIGTERM, signal.SIGHUP


@pytest.fixture(scope="module")
def ktrdr(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    installation = Installation(tmp_path_factory.mktemp("stuck") / "home", sys.executable)
    yield installation
    installation.close()


def fill(writer: int) -> None:
    """Write line ends until not one more is taken."""
    flags = fcntl.fcntl(writer, fcntl.F_GETFL)
    fcntl.fcntl(writer, fcntl.F_SETFL, flags | os.O_NONBLOCK)
    with suppress(BlockingIOError):
        while os.write(writer, b"\n"):
            pass
    fcntl.fcntl(writer, fcntl.F_SETFL, flags)


@contextmanager
def stuck(make: Callable[[], tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Yield reader and writer of a pipe or a terminal that takes nothing more."""
    reader, writer = make()
    fill(writer)
    try:
        yield reader, writer
    finally:
        os.close(reader)
        os.close(writer)


def started(ktrdr: Installation, command: tuple[str, ...], **streams: int) -> subprocess.Popen[bytes]:
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return subprocess.Popen(
        [ktrdr.python, "-m", "ktrdr", *command], env=ktrdr.environment, cwd=ROOT, **(quiet | streams)
    )


def newest(ktrdr: Installation, *statuses: str) -> str:
    """Wait until an operation of one of the statuses is the newest, and return its id."""
    while True:
        shown = ktrdr.operations()
        if shown and shown[0]["status"] in statuses:
            return str(shown[0]["operation_id"])


STREAMS = {
    "lines": ("stdout", os.pipe, LINES),
    "talk": ("stderr", os.pipe, ()),
    "screen": ("stderr", os.openpty, ()),
    "talk beside lines": ("stderr", os.pipe, LINES),
}


@pytest.mark.parametrize("stream", STREAMS)
@pytest.mark.parametrize(
    ("signals", "becomes"),
    [((INTERRUPT, INTERRUPT), "cancelled"), ((TERMINATE,), "cancelled"), ((HANG_UP,), "running")],
)
def test_fault_49_signals_act_whatever_becomes_of_what_is_written(
    ktrdr: Installation, stream: str, signals: tuple[signal.Signals, ...], becomes: str
) -> None:
    """Ctrl+C cancels and, again, leaves; SIGTERM cancels and leaves; SIGHUP leaves the work going on."""
    name, make, options = STREAMS[stream]
    with stuck(make) as (_, writer):
        process = started(ktrdr, (*ENDLESS, *options), **{name: writer})
        operation_id = newest(ktrdr, "running")
        for each in signals:
            process.send_signal(each)
            if becomes == "cancelled":
                ktrdr.run("operations", "wait", operation_id, expect=3)
        assert process.wait(HANG_GUARD) == -signals[0]
    assert ktrdr.json("operations", "status", operation_id)["status"] == becomes
    ktrdr.run("operations", "cancel", operation_id)


def test_fault_49_a_signal_ends_a_command_whose_work_is_over_and_whose_lines_nobody_reads(
    ktrdr: Installation,
) -> None:
    with stuck(os.pipe) as (_, writer):
        process = started(ktrdr, (*BRIEF, *LINES), stdout=writer)
        newest(ktrdr, "completed")
        process.send_signal(TERMINATE)
        assert process.wait(HANG_GUARD) == -TERMINATE


def test_fault_49_a_log_that_nobody_reads_is_left_at_the_first_signal(ktrdr: Installation) -> None:
    operation_id = ktrdr.run(*ENDLESS, "--detach", "-q").stdout.strip()
    newest(ktrdr, "running")
    log = ktrdr.settings.state_dir / "ops" / operation_id / "worker.log"
    with log.open("a") as file:
        file.writelines(f"{number} {'x' * 1000}\n" for number in range(200))
    reader, writer = os.pipe()
    process = started(ktrdr, ("operations", "logs", operation_id, "-f"), stdout=writer)
    while select([], [writer], [], 0)[1]:
        os.sched_yield()
    process.send_signal(INTERRUPT)
    assert process.wait(HANG_GUARD) == -INTERRUPT
    ktrdr.run("operations", "cancel", operation_id)
    os.close(reader)
    os.close(writer)


def test_a_late_reader_gets_every_line_in_order_and_one_end(ktrdr: Installation) -> None:
    reader, writer = os.pipe()
    fill(writer)
    process = started(ktrdr, (*BRIEF, *LINES), stdout=writer)
    newest(ktrdr, "completed")
    os.close(writer)
    with os.fdopen(reader) as late:
        lines = [json.loads(line) for line in late if line.strip()]
    assert process.wait(HANG_GUARD) == 0
    kinds = [line["type"] for line in lines]
    assert (kinds[0], kinds[-2:], kinds.count("end")) == ("accepted", ["result", "end"], 1)
    reports = [line["seq"] for line in lines if line["type"] == "progress"]
    assert reports == sorted(reports)
