"""What happens when nobody can read standard output."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

COMMANDS = [("--help",), ("--version",), ("dummy", "run", "--help")]


def with_closed(closed: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run ktrdr as a shell does that was told to close some of its streams."""
    command = ["sh", "-c", f'exec "$0" "$@" {closed}', sys.executable, "-m", "ktrdr", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_closed_reader_ends_in_silence_by_the_pipe_signal(arguments: tuple[str, ...]) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "ktrdr", *arguments]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, check=False, timeout=60)
    os.close(writer)
    assert (done.returncode, done.stderr) == (-signal.SIGPIPE, b"")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no full device here")
@pytest.mark.parametrize("arguments", COMMANDS)
def test_a_full_disk_is_one_sentence_and_exit_74(arguments: tuple[str, ...]) -> None:
    command = [sys.executable, "-m", "ktrdr", *arguments]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, check=False, timeout=60)
    assert done.returncode == 74
    assert done.stderr.decode() == "error: the output cannot be written (No space left on device)\n"


@pytest.mark.parametrize("arguments", COMMANDS)
def test_fault_50_a_closed_output_is_one_sentence_and_exit_74(arguments: tuple[str, ...]) -> None:
    done = with_closed(">&-", *arguments)
    assert (done.returncode, done.stdout) == (74, "")
    assert done.stderr == "error: the output cannot be written (Bad file descriptor)\n"


@pytest.mark.parametrize("closed", ["2>&-", "<&-", "<&- 2>&-"])
def test_fault_50_other_closed_streams_change_nothing(closed: str) -> None:
    done = with_closed(closed, "--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("ktrdr ")


@pytest.mark.parametrize(("mode", "traceback"), [((), False), (("-X", "dev"), True)])
def test_a_failure_of_ktrdr_itself_is_one_sentence_and_exit_70(
    mode: tuple[str, ...], traceback: bool
) -> None:
    code = "from ktrdr.cli import app; app._run_and_flush = lambda *_: 1 / 0; app.main([])"
    command = [sys.executable, *mode, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 70
    assert ("Traceback" in done.stderr) is traceback
    assert "division by zero" in done.stderr
