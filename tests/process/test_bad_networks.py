"""A real command, a real server, and a bad network between them: one truth, told to whoever waits."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import pytest

from support.fault_proxy import FaultProxy, fault_proxy
from support.installation import ROOT, Finished, Installation, ending, until

CTRL_C = "\x03"
SAME_PRESS = 0.3  # presses that follow each other sooner are one press
BRIEF = ("dummy", "run", "--duration", "2", "--iterations", "40")
ENDLESS = ("dummy", "run", "--duration", "600", "--iterations", "6000")


@pytest.fixture
def proxy(ktrdr: Installation) -> Iterator[FaultProxy]:
    """Return a proxy in front of a server that runs."""
    ktrdr.run("server", "start")
    with fault_proxy(ktrdr.settings.socket_path) as running:
        yield running


def completed(done: Finished) -> None:
    """Check a result, and that nothing but the truth was said."""
    assert "Iterations completed  40" in done.stdout
    assert "Traceback" not in done.stderr


def test_fault_23_an_answer_to_a_start_that_is_lost_costs_nothing(
    ktrdr: Installation, proxy: FaultProxy
) -> None:
    proxy.faults.drop_answer_to = "POST .*/start"
    completed(ktrdr.run(*BRIEF, "--url", proxy.url))
    assert len([line for line in proxy.requests if line.startswith("POST")]) == 2
    assert len(ktrdr.operations()) == 1


def test_fault_23_an_answer_to_a_start_that_breaks_off_costs_nothing(
    ktrdr: Installation, proxy: FaultProxy
) -> None:
    """Its head arrives, its body does not."""
    proxy.faults.cut_once_after = 200
    completed(ktrdr.run(*BRIEF, "--url", proxy.url))
    assert len([line for line in proxy.requests if line.startswith("POST")]) == 2
    assert len(ktrdr.operations()) == 1


def test_fault_24_a_start_that_is_delivered_twice_is_one_operation(
    ktrdr: Installation, proxy: FaultProxy
) -> None:
    proxy.faults.deliver_twice = "POST .*/start"
    completed(ktrdr.run(*BRIEF, "--url", proxy.url))
    assert len(ktrdr.operations()) == 1


def test_fault_26_a_cancel_whose_answer_is_lost_is_asked_again(
    ktrdr: Installation, proxy: FaultProxy
) -> None:
    terminal = ktrdr.terminal(*ENDLESS, "--url", proxy.url)
    until(terminal, "iteration")
    proxy.faults.drop_answer_to = "POST .*/cancel"
    terminal.send(CTRL_C)
    _, signalled, text = ending(terminal)
    assert signalled == signal.SIGINT
    assert "acknowledged" in text
    assert [each["status"] for each in ktrdr.operations()] == ["cancelled"]
    assert ktrdr.workers() == []


def test_fault_33_bytes_that_come_one_by_one_are_events_all_the_same(
    ktrdr: Installation, proxy: FaultProxy
) -> None:
    proxy.faults.slice_bytes = 1
    short = ("dummy", "run", "--duration", "0.3", "--iterations", "40")
    completed(ktrdr.run(*short, "--url", proxy.url))
    assert len([line for line in proxy.requests if line.endswith("/events HTTP/1.1")]) == 1


def test_fault_36_a_stream_that_is_cut_again_and_again_is_not_the_end(
    ktrdr: Installation, proxy: FaultProxy
) -> None:
    proxy.faults.cut_after = 6_000
    completed(ktrdr.run(*BRIEF, "--url", proxy.url))
    assert len([line for line in proxy.requests if line.endswith("/events HTTP/1.1")]) > 1


def test_fault_06_a_network_that_goes_and_comes_back_is_told_once(
    ktrdr: Installation, proxy: FaultProxy
) -> None:
    """It is away until the work is over, which the command then says."""
    command = [ktrdr.python, "-m", "ktrdr", *BRIEF, "--url", proxy.url]
    with subprocess.Popen(
        command, env=ktrdr.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        words = next(process.stderr)
        while "Iterations" not in words:
            words += next(process.stderr)
        proxy.down()
        ktrdr.run("operations", "wait", str(re.search(r"op_dummy_\w+", words)[0]))  # type: ignore[index]
        proxy.up()
        out, rest = process.communicate()
    completed(Finished(process.returncode, out, rest))
    assert process.returncode == 0
    assert (words + rest).count("connection lost") == 1


@pytest.mark.parametrize("trouble", ["black network", "frozen server"])
def test_fault_35_ctrl_c_answers_at_once_and_leaves_when_nobody_else_answers(
    ktrdr: Installation, proxy: FaultProxy, trouble: str
) -> None:
    """Afterwards, when all is well again, the printed command finishes the job."""
    terminal = ktrdr.terminal(*ENDLESS, "--url", proxy.url, columns=200)
    until(terminal, "iteration")
    server = ktrdr.server()
    if trouble == "black network":
        proxy.faults.is_black = True
    else:
        server.suspend()
    leave(terminal)
    command = re.search(r"ktrdr operations cancel \S+", str(terminal.before))
    proxy.faults.is_black = False
    server.resume()
    assert command
    ktrdr.run(*command[0].split()[1:])
    ktrdr.run("operations", "wait", command[0].split()[-1], expect=3)
    assert ktrdr.workers() == []


def leave(terminal: pexpect.spawn) -> None:
    """Press Ctrl+C, and once that is answered, again; the command is gone and says what is not known."""
    terminal.send(CTRL_C)
    until(terminal, "press Ctrl+C again to leave without waiting")
    terminal.expect(pexpect.TIMEOUT, timeout=SAME_PRESS)
    terminal.send(CTRL_C)
    _, signalled, text = ending(terminal)
    terminal.before = text
    assert signalled == signal.SIGINT
    assert "It is NOT confirmed - run ktrdr operations cancel" in text


def test_a_frozen_server_never_keeps_a_command_for_long(ktrdr: Installation, proxy: FaultProxy) -> None:
    """Terminated by the system it has five seconds in all, and says what it does not know."""
    command = [ktrdr.python, "-m", "ktrdr", *ENDLESS, "--url", proxy.url]
    with subprocess.Popen(
        command, env=ktrdr.environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stderr
        while "Iterations" not in next(process.stderr):
            pass
        server = ktrdr.server()
        server.suspend()
        os.kill(process.pid, signal.SIGTERM)
        _, words = process.communicate()
        server.resume()
    assert process.returncode == -signal.SIGTERM
    assert "NOT confirmed" in words
    ktrdr.run("operations", "cancel", "--all")


def test_a_command_in_a_shell_without_terminal_says_what_a_log_needs(
    ktrdr: Installation, proxy: FaultProxy, tmp_path: Path
) -> None:
    """As continuous integration runs it: no terminal, a session of its own, outputs that are files."""
    out, err = tmp_path / "out.txt", tmp_path / "err.txt"
    proxy.faults.cut_after = 20_000
    with out.open("w") as stdout, err.open("w") as stderr:
        done = subprocess.run(
            [ktrdr.python, "-m", "ktrdr", *BRIEF, "--url", proxy.url],
            env={**ktrdr.environment, "CI": "true", "TERM": "dumb"},
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            check=False,
        )
    assert done.returncode == 0
    completed(Finished(0, out.read_text(), err.read_text()))
    assert "\x1b" not in out.read_text() + err.read_text()
    tenths = re.findall(r"^Iterations  (\d+) %", err.read_text(), re.MULTILINE)
    assert len(set(tenths)) == len(tenths) <= 12
