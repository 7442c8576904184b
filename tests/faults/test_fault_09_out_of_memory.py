"""Row 9: a worker that ends for want of memory says so, whoever ended it and in whatever words."""

import sys
from pathlib import Path

import pytest

from ktrdr.memory_shortage import HINT, is_memory_short, oom_kills
from ktrdr.operations.engine import Assignment
from ktrdr.operations.events import Failed, LeaseLost, WorkerEvent
from ktrdr.server.engines.local_process import Beginning, LocalProcessEngine
from ktrdr.worker.channel import WorkerChannel
from ktrdr.worker.folders import Folders
from ktrdr.worker.runner import run

LIMITED = "import os, resource, sys; resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))\n"
ABORTS = "sys.stderr.write('memory allocation of 9 bytes failed\\n'); sys.stderr.flush(); os.abort()\n"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("script", "how"),
    [
        ("bytearray(1 << 31)", "exited with 1"),
        ("import numpy; numpy.zeros(1 << 30)", "exited with 1"),
        (ABORTS, "was killed by SIGABRT"),
    ],
)
async def test_fault_09_a_worker_that_had_too_little_memory_says_so(
    tmp_path: Path, script: str, how: str
) -> None:
    engine = LocalProcessEngine(tmp_path, lambda _: {}, program=(sys.executable, "-c", LIMITED + script))
    (ending,) = [each async for each in engine.run(Assignment("op_x_aaaaaaaaaaaa", "dummy", 1, {}))]
    assert isinstance(ending, LeaseLost)
    assert ending.error.detail == f"the worker {how} before it had a result, likely out of memory"
    assert (ending.error.hint or "").startswith(HINT)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (RuntimeError("RESOURCE_EXHAUSTED: Out of memory allocating 8 bytes."), True),
        (OSError(12, "Cannot allocate memory"), True),
        (RuntimeError("can't start new thread"), True),
        (ImportError("libx.so: failed to map segment from shared object"), True),
        (ValueError("something else"), False),
    ],
    ids=repr,
)
def test_errors_of_memory_are_told_from_others(error: Exception, expected: bool) -> None:
    assert is_memory_short(error) is expected


@pytest.mark.parametrize(
    ("group", "file"),
    [
        ("0::/a/b\n", "sys/fs/cgroup/a/b/memory.events"),
        ("4:memory:/a\n0::/\n", "sys/fs/cgroup/memory/a/memory.oom_control"),
        ("", "proc/vmstat"),
    ],
)
def test_fault_09_kills_for_memory_are_counted_where_the_kernel_tells_them(
    tmp_path: Path, group: str, file: str
) -> None:
    (tmp_path / "proc/self").mkdir(parents=True)
    (tmp_path / "proc/self/cgroup").write_text(group)
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).write_text("low 1\noom_kill 7\noom_group_kill 0\n")
    assert oom_kills(tmp_path) == 7
    assert oom_kills(tmp_path / "nothing") == 0


class Starved(WorkerChannel):
    """A channel at which memory runs out once the work has begun."""

    def __init__(self) -> None:
        self.said: list[WorkerEvent] = []

    def send(self, event: WorkerEvent) -> None:
        self.said.append(event)
        if len(self.said) > 1:
            raise MemoryError

    def cancelled(self) -> bool:
        return False


def test_fault_09_a_handler_without_memory_fails_with_a_hint_and_is_no_defect(tmp_path: Path) -> None:
    message = {"operation_id": "op_x_aaaaaaaaaaaa", "operation_type": "dummy", "fence": 1}
    places = {"work_folder": str(tmp_path), "log_path": "log"}
    ending = run({**message, **places, "request": {}}, Starved(), Folders(tmp_path, tmp_path, tmp_path))
    assert isinstance(ending, Failed)
    assert (ending.error.code, ending.error.hint) == ("out_of_memory", HINT)
    assert ending.error.detail.startswith("the memory does not suffice")


def test_what_an_earlier_attempt_said_does_not_count(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("MemoryError\n")
    size = (tmp_path / "log").stat().st_size
    assert not Beginning(size, oom_kills()).is_out_of_memory(str(tmp_path / "log"))
    assert Beginning(0, oom_kills()).is_out_of_memory(str(tmp_path / "log"))
    assert Beginning(size, oom_kills() - 1).is_out_of_memory(str(tmp_path / "log"))
