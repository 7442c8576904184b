"""Ending processes: a whole group, politely first, and never a stranger's."""

import asyncio
import contextlib
import os
from select import select
from signal import SIGKILL, SIGTERM, Signals

from ktrdr.operations.operation import WorkerIdentity
from ktrdr.process_identity import PROC, is_running

TERMINATE_GRACE = 5.0
LOOK_AGAIN = 0.02


async def end_group(process: asyncio.subprocess.Process) -> None:
    """SIGTERM the group, SIGKILL it after five seconds, and return when the leader is gone."""
    if process.returncode is not None:
        return
    signal_group(process.pid, SIGTERM)
    try:
        async with asyncio.timeout(TERMINATE_GRACE):
            await process.wait()
    except TimeoutError:
        kill_group(process.pid)
        await process.wait()


def kill_group(group: int) -> None:
    """SIGKILL what is left of a group."""
    signal_group(group, SIGKILL)


def kill_remains(session: int) -> None:
    """SIGKILL what the ended leader of a session left in it, in whatever group.

    The kernel hands a number out again only once no process is left in the session of that name: if there is
    such a process again, it is a stranger.
    """
    if (PROC / str(session)).exists():
        return
    for pid in (int(each.name) for each in PROC.iterdir() if each.name.isdecimal()):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if os.getsid(pid) == session:
                os.kill(pid, SIGKILL)


def signal_group(group: int, number: Signals) -> None:
    """Send a signal to a group; nothing happens if it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end_orphan(worker: WorkerIdentity) -> None:
    """Kill a worker of an earlier server if it is still the same process, and wait until it is gone."""
    while is_running(worker.pid, worker.started_at):
        kill_group(worker.pid)
        select([], [], [], LOOK_AGAIN)


def describe_end(return_code: int | None) -> str:
    """Return `was killed by SIGKILL` or `exited with 3`."""
    if return_code is not None and return_code < 0:
        return f"was killed by {Signals(-return_code).name}"
    return f"exited with {return_code}"
