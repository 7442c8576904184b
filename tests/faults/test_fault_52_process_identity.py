"""Rows 37 and 52, threat 33: a process is its boot and its start tick, and no stranger is ever ended."""

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ktrdr.cli.local_server import ServerIdentity, stop_server
from ktrdr.operations.operation import WorkerIdentity
from ktrdr.process_identity import TICKS_PER_SECOND, is_running, send_signal, start_of
from ktrdr.server.engines.process_group import end_orphan, kill_remains

PID, TICKS, BTIME = 42, 12345, 1_700_000_000
WHEN = BTIME + TICKS / TICKS_PER_SECOND


def machine(
    proc: Path, *, ticks: int = TICKS, btime: int = BTIME, boot: str = "boot", state: str = "S"
) -> Path:
    """Write what the kernel tells of one process whose name is made to mislead."""
    (proc / str(PID)).mkdir(parents=True, exist_ok=True)
    (proc / "sys/kernel/random").mkdir(parents=True, exist_ok=True)
    (proc / "sys/kernel/random/boot_id").write_text(f"{boot}\n")
    (proc / "stat").write_text(f"cpu 1 2 3\nbtime {btime}\nprocesses 9\n")
    rest = f"{state} 1 {' '.join(['0'] * 17)} {ticks} 0 0"
    (proc / str(PID) / "stat").write_text(f"{PID} (a) Z (b) {rest}\n")
    return proc


@pytest.fixture
def stranger() -> Iterator[subprocess.Popen[bytes]]:
    """Return a process that leads a session, as a server or worker does, and is neither."""
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as process:
        yield process
        process.kill()


def ended_by_us(process: subprocess.Popen[bytes]) -> bool:
    """End it now; a signal that was sent before, SIGTERM or SIGKILL, would have been the one it died of."""
    process.send_signal(signal.SIGVTALRM)
    return process.wait() == -signal.SIGVTALRM


def test_fault_37_a_step_of_the_wall_clock_makes_no_process_another(tmp_path: Path) -> None:
    """The kernel tells the moment of the boot anew after each step: an hour on, a day back."""
    started = start_of(PID, machine(tmp_path))
    for step in (3600, -86400, 1):
        assert is_running(PID, started, machine(tmp_path, btime=BTIME + step))


@pytest.mark.parametrize(
    "changes", [{"ticks": TICKS + 1}, {"boot": "next boot"}, {"state": "Z"}, {"state": "X"}], ids=str
)
def test_fault_52_another_start_another_boot_and_an_end_are_told(
    tmp_path: Path, changes: dict[str, str | int]
) -> None:
    started = start_of(PID, machine(tmp_path))
    assert not is_running(PID, started, machine(tmp_path, **changes))  # type: ignore[arg-type]  # a table


def test_a_moment_that_an_earlier_build_wrote_is_still_read(tmp_path: Path) -> None:
    proc = machine(tmp_path)
    assert is_running(PID, WHEN, proc)
    assert not is_running(PID, WHEN + 60, proc)
    assert not is_running(PID + 1, WHEN, proc)


def test_fault_52_no_signal_reaches_a_process_that_has_a_servers_pid(
    stranger: subprocess.Popen[bytes],
) -> None:
    server = ServerIdentity(stranger.pid, start_of(os.getpid()), "build", Path("socket"), None)
    send_signal(server.pid, server.started_at, signal.SIGKILL)
    stop_server(server, force=True)
    assert ended_by_us(stranger)


def test_fault_52_a_process_that_has_an_orphans_pid_is_left_alone(stranger: subprocess.Popen[bytes]) -> None:
    end_orphan(WorkerIdentity(socket.gethostname(), stranger.pid, start_of(os.getpid())))
    assert ended_by_us(stranger)


def test_sec_33_what_is_left_of_a_session_is_not_a_stranger_who_has_its_number(
    stranger: subprocess.Popen[bytes],
) -> None:
    kill_remains(stranger.pid)
    assert ended_by_us(stranger)


@pytest.mark.parametrize("host", [socket.gethostname(), "before it was renamed"])
def test_an_orphan_is_gone_with_its_group_when_end_orphan_returns(host: str) -> None:
    """Also when it ignores to be asked, and whatever the machine is called by now."""
    script = "trap '' TERM; sleep 600 & echo $!; wait"
    with subprocess.Popen(["bash", "-c", script], start_new_session=True, stdout=subprocess.PIPE) as orphan:
        assert orphan.stdout
        child = int(orphan.stdout.readline())
        child_started = start_of(child)
        started = start_of(orphan.pid)
        end_orphan(WorkerIdentity(host, orphan.pid, started))
        assert not is_running(orphan.pid, started)
        assert orphan.stdout.read() == b""  # the child held it: it is gone too
    assert orphan.returncode == -signal.SIGKILL
    assert not is_running(child, child_started)
