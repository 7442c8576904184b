"""The first moments of a command: Ctrl+C while it still imports what it is made of, and another system."""

import signal
import subprocess
import sys

import pytest

MOMENTS = 40
DRIVER = """
import os, runpy, sys

def press_at(moment):
    passed = 0
    def hear(event, arguments):
        nonlocal passed
        if event == "import" and (passed or arguments[0] == "ktrdr.cli"):
            passed += 1
            if passed == moment:
                os.kill(os.getpid(), 2)
    sys.addaudithook(hear)
    sys.argv = ["ktrdr", "--version"]
    runpy.run_module("ktrdr", run_name="__main__", alter_sys=True)

for moment in range(1, int(sys.argv[1]) + 1):
    child = os.fork()
    if child == 0:
        press_at(moment)
        os._exit(99)
    _, status = os.waitpid(child, 0)
    print(os.waitstatus_to_exitcode(status))
"""

ELSEWHERE = """
import runpy, sys
sys.platform = sys.argv[1]
sys.argv = ["ktrdr", "operations", "list"]
runpy.run_module("ktrdr", run_name="__main__", alter_sys=True)
"""


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_on_another_system_every_command_ends_with_one_sentence(system: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ELSEWHERE, system], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (69, "")
    error, hint = done.stderr.splitlines()
    assert error.startswith("error: ktrdr needs Linux ")
    assert hint == "hint: on Windows, WSL is one"


def test_ctrl_c_ends_a_command_in_silence_at_whatever_import_it_comes() -> None:
    """Pressed once at each import from the command's own first one on: it dies of the signal each time."""
    done = subprocess.run(
        [sys.executable, "-c", DRIVER, str(MOMENTS)], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    assert done.stdout.split() == [str(-signal.SIGINT)] * MOMENTS
