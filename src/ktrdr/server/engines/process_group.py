"""Ending processes: a whole group, politely first, and never a stranger's."""

import asyncio
import contextlib
import os
import socket
from signal import SIGKILL, SIGTERM, Signals

import psutil

from ktrdr.operations.operation import WorkerIdentity

TERMINATE_GRACE = 5.0


async def end_group(process: asyncio.subprocess.Process) -> None:
    """SIGTERM the group, SIGKILL it after five seconds, and return when the leader is gone."""
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


def signal_group(group: int, number: Signals) -> None:
    """Send a signal to a group; nothing happens if it is gone."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def end_orphan(worker: WorkerIdentity) -> None:
    """Kill a worker of an earlier server if it is still the same process, and wait until it is gone."""
    if worker.host != socket.gethostname():
        return
    with contextlib.suppress(psutil.NoSuchProcess):
        process = psutil.Process(worker.pid)
        if process.create_time() == worker.started_at:
            kill_group(worker.pid)
            process.wait()


def describe_end(return_code: int | None) -> str:
    """Return `was killed by SIGKILL` or `exited with 3`."""
    if return_code is not None and return_code < 0:
        return f"was killed by {Signals(-return_code).name}"
    return f"exited with {return_code}"
