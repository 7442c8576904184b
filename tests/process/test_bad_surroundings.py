"""Servers that die, freeze or restart, commands that are stopped, output that goes away: one truth."""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pexpect
import psutil
import pytest

from support.installation import HANG_GUARD, ROOT, Installation, ending, until

ENDLESS = ("dummy", "run", "--duration", "600", "--iterations", "6000")
BRIEF = ("dummy", "run", "--duration", "2", "--iterations", "20")


class PortServer:
    """A server on a port, which no command starts again."""

    def __init__(self, ktrdr: Installation) -> None:
        self._ktrdr = ktrdr
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = str(free.getsockname()[1])
        self.url = f"http://127.0.0.1:{self._port}"
        ktrdr.environment["KTRDR_TOKEN_FILE"] = str(ktrdr.settings.kept_token)
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [self._ktrdr.python, "-m", "ktrdr.server", "--port", self._port, "--ready-fd", "1"],
            env=self._ktrdr.environment,
            stdout=subprocess.PIPE,
        )
        assert self.process.stdout
        assert self.process.stdout.readline() == b"ready\n"
        self.process.stdout.close()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def server(ktrdr: Installation) -> Iterator[PortServer]:
    running = PortServer(ktrdr)
    yield running
    running.kill()


def test_fault_06_a_server_that_is_killed_and_comes_back_in_the_middle_of_a_follow(
    ktrdr: Installation, server: PortServer
) -> None:
    terminal = ktrdr.terminal(*ENDLESS, "--url", server.url)
    until(terminal, "iteration")
    server.kill()
    until(terminal, "warning: connection lost")
    server.start()
    code, _, words = ending(terminal)
    assert code == 1, words
    assert "the server stopped while the operation was running" in words
    assert words.count("warning: connection lost") == 0
    assert ktrdr.workers() == []


def test_fault_06_the_embedded_server_is_started_again_by_whoever_follows(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal(*ENDLESS)
    until(terminal, "iteration")
    first = ktrdr.server()
    first.kill()
    code, _, words = ending(terminal)
    assert code == 1, words
    assert "the server stopped while the operation was running" in words
    assert ktrdr.server().pid != first.pid
    (operation,) = ktrdr.operations()
    assert operation["status"] == "failed"


def test_a_frozen_server_keeps_nobody_from_leaving(ktrdr: Installation, server: PortServer) -> None:
    terminal = ktrdr.terminal(*ENDLESS, "--url", server.url)
    until(terminal, "iteration")
    server.process.send_signal(signal.SIGSTOP)
    terminal.send("\x03")
    until(terminal, "Cancelling")
    code, _, words = ending(terminal)
    assert code == 7, words
    assert "It is NOT confirmed - run ktrdr operations cancel" in words
    server.process.send_signal(signal.SIGCONT)


def test_a_new_command_says_what_it_waits_for_when_the_server_is_frozen(ktrdr: Installation) -> None:
    ktrdr.run("server", "start")
    server = ktrdr.server()
    server.suspend()
    terminal = ktrdr.terminal("operations", "list")
    until(terminal, "warning: the server has not answered for 3 s, still waiting")
    server.resume()
    until(terminal, "There are no operations.")
    assert ending(terminal)[0] == 0


def test_fault_44_a_command_that_is_stopped_for_a_while_goes_on_where_the_work_is(
    ktrdr: Installation,
) -> None:
    terminal = ktrdr.terminal(*BRIEF)
    until(terminal, "iteration")
    os.kill(terminal.pid, signal.SIGSTOP)
    assert ktrdr.run("operations", "wait", "@last").stdout.endswith("completed\n")
    os.kill(terminal.pid, signal.SIGCONT)
    code, _, words = ending(terminal)
    assert code == 0
    assert "Iterations completed  20" in words


def test_fault_44_ctrl_z_stops_a_command_and_fg_brings_it_back(ktrdr: Installation) -> None:
    """As in any shell; the work goes on meanwhile."""
    shell = pexpect.spawn(
        "bash", ["--norc", "-i"], env={**ktrdr.environment, "PS1": "ready> "}, encoding="utf-8", timeout=60
    )
    until(shell, "ready> ")
    shell.sendline(f"cd {ROOT}; {ktrdr.python} -m ktrdr {' '.join(BRIEF)}")
    shell.expect(r"iteration \d+/")
    shell.send("\x1a")
    until(shell, "Stopped")
    assert ktrdr.run("operations", "wait", "@last").stdout.endswith("completed\n")
    shell.sendline("fg")
    until(shell, "Iterations completed  20")
    until(shell, "ready> ")
    shell.sendline("exit")
    ending(shell)


def test_fault_46_a_terminal_that_is_closed_leaves_the_work_going_on(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal(*BRIEF)
    until(terminal, "iteration")
    process = psutil.Process(terminal.pid)
    os.close(terminal.fileno())
    gone, alive = psutil.wait_procs([process], timeout=HANG_GUARD)
    assert (len(gone), alive) == (1, [])
    assert ktrdr.run("operations", "wait", "@last").stdout.endswith("completed\n")


def test_fault_47_the_servers_session_is_its_own(ktrdr: Installation) -> None:
    terminal = ktrdr.terminal(*ENDLESS)
    until(terminal, "iteration")
    server = ktrdr.server()
    (worker,) = ktrdr.workers()
    assert len({os.getsid(pid) for pid in (terminal.pid, server.pid, worker.pid)}) == 3
    terminal.send("\x03")
    ending(terminal)
    assert ktrdr.server().pid == server.pid


@pytest.mark.parametrize("output", ["table", "json", "ndjson"])
def test_fault_49_a_reader_that_goes_away_leaves_the_work_going_on(ktrdr: Installation, output: str) -> None:
    with subprocess.Popen(
        [ktrdr.python, "-m", "ktrdr", *BRIEF, "--output", output, "--progress", "none"],
        env=ktrdr.environment,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        words = process.stderr.read()
    assert process.returncode == -signal.SIGPIPE
    assert "Traceback" not in words
    assert "Exception ignored" not in words
    ktrdr.run("operations", "wait", "@last")


def test_fault_50_a_full_disk_behind_the_lines_is_one_sentence(ktrdr: Installation) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [ktrdr.python, "-m", "ktrdr", *BRIEF, "--output", "ndjson"],
            env=ktrdr.environment,
            cwd=ROOT,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
            timeout=HANG_GUARD,
        )
    assert done.returncode == 74
    assert "the output cannot be written (No space left on device)" in done.stderr
    assert json.loads(ktrdr.run("operations", "status", "@last", "-o", "json").stdout)["status"] != "failed"
