"""Process identity: a pid, the boot of the machine and the tick of its clock at which the kernel started it.

Rule: nobody sends a signal to a pid without asking here first, and no answer depends on the wall clock.
"""

import os
from pathlib import Path
from signal import Signals

PROC = Path("/proc")
TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
BOOT_SLACK = 2.0
ENDED = ("Z", "X")
STATE, START_TICKS = 0, 19  # fields after the program's name; source: proc_pid_stat(5), 3 and 22


def start_of(pid: int, proc: Path = PROC) -> str:
    """Return `<boot id>:<ticks>`, by which a pid is one process; raises ProcessLookupError if it ended."""
    return f"{_boot_id(proc)}:{_start_ticks(pid, proc)}"


def is_running(pid: int, started: str | float, proc: Path = PROC) -> bool:
    """Tell whether the process that started then is alive; one that waits to be reaped is not.

    A number is what earlier builds wrote: the wall-clock moment, which is as good as that clock.
    """
    try:
        if isinstance(started, str):
            return start_of(pid, proc) == started
        moment = _boot_moment(proc) + _start_ticks(pid, proc) / TICKS_PER_SECOND
        return abs(moment - started) <= BOOT_SLACK
    except ProcessLookupError:
        return False


def send_signal(pid: int, started: str | float, number: Signals) -> None:
    """Send a signal to the process that started then; nothing happens if it has ended."""
    if is_running(pid, started):
        os.kill(pid, number)


def _start_ticks(pid: int, proc: Path) -> int:
    try:
        fields = (proc / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        raise ProcessLookupError(pid) from None
    if fields[STATE] in ENDED:
        raise ProcessLookupError(pid)
    return int(fields[START_TICKS])


def _boot_id(proc: Path) -> str:
    return (proc / "sys" / "kernel" / "random" / "boot_id").read_text().strip()


def _boot_moment(proc: Path) -> int:
    lines = (proc / "stat").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("btime "))
