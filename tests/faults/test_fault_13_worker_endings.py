"""Rows 12 and 13: a worker that says nothing about its end is lost, and nothing it started outlives it."""

import os
import sys
from pathlib import Path

import pytest

from ktrdr.operations.engine import Assignment
from ktrdr.operations.events import Cancelled, LeaseLost, WorkerEvent
from ktrdr.server.engines.local_process import LocalProcessEngine

pytestmark = pytest.mark.anyio

PRELUDE = """
import json, os, socket, subprocess, sys
channel = socket.socket(fileno=int(sys.argv[1]))
def say(event):
    document = json.dumps(event).encode()
    channel.sendall(len(document).to_bytes(4, "big") + document)
"""


async def played(folder: Path, script: str) -> list[WorkerEvent]:
    """Let a worker of these words run to its end, and return what the server is told."""
    engine = LocalProcessEngine(folder, lambda _: {}, program=(sys.executable, "-c", PRELUDE + script))
    assignment = Assignment("op_test_aaaaaaaaaaaa", "dummy", 1, {})
    return [event async for event in engine.run(assignment)]


async def test_fault_12_a_worker_that_exits_with_0_and_no_result_is_lost(tmp_path: Path) -> None:
    (ending,) = await played(tmp_path, "os._exit(0)")
    assert isinstance(ending, LeaseLost)
    assert ending.error.detail == "the worker exited with 0 before it had a result"


KEEPS = "os.set_inheritable(channel.fileno(), True)\n"
LEAVES = {
    "in its group": "left = subprocess.Popen(['sleep', '600'], close_fds=False)\n",
    "in a group of its own": "left = subprocess.Popen(['sleep', '600'], close_fds=False, process_group=0)\n",
}


@pytest.mark.parametrize("where", LEAVES)
@pytest.mark.parametrize(
    ("last_word", "expected"),
    [("", LeaseLost), ("say({'type': 'cancelled', 'fence': 1})\n", Cancelled)],
    ids=["without a word", "with a word"],
)
async def test_fault_13_what_a_worker_left_behind_ends_with_it_and_holds_nothing_up(
    tmp_path: Path, where: str, last_word: str, expected: type[WorkerEvent]
) -> None:
    """It holds the channel and the log open: the operation ends all the same, and so does it."""
    os.mkfifo(tmp_path / "held")
    reader = os.open(tmp_path / "held", os.O_RDONLY | os.O_NONBLOCK)
    holds = f"held = os.open({str(tmp_path / 'held')!r}, os.O_WRONLY)\nos.set_inheritable(held, True)\n"
    events = await played(tmp_path, KEEPS + holds + LEAVES[where] + last_word + "os._exit(0)")
    assert [type(each) for each in events] == [expected]
    os.set_blocking(reader, True)
    assert os.read(reader, 1) == b""  # nobody holds it any more
    os.close(reader)


async def test_fault_13_what_was_said_before_the_end_is_heard_whoever_holds_the_channel(
    tmp_path: Path,
) -> None:
    """A session of its own is out of reach; the channel ends with the worker, read to its last word."""
    os.mkfifo(tmp_path / "held")
    writer = os.open(tmp_path / "held", os.O_RDWR)  # as long as it is open, so is what reads it
    away = f"subprocess.Popen(['cat', {str(tmp_path / 'held')!r}], close_fds=False, start_new_session=True)\n"
    report = {"type": "checkpointed", "fence": 1, "checkpoint": "x"}
    say = f"for _ in range(2000): say({report})\n"
    *reports, ending = await played(tmp_path, KEEPS + away + say + "os._exit(3)")
    os.close(writer)
    assert len(reports) == 2000
    assert isinstance(ending, LeaseLost)
    assert ending.error.detail == "the worker exited with 3 before it had a result"
