"""Workers as processes of this machine, each in a session of its own."""

import asyncio
import contextlib
import json
import os
import socket
import sys
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ktrdr.memory_shortage import HINT, oom_kills, says_memory_short
from ktrdr.operations.channel import HEADER_SIZE, frame, frame_length
from ktrdr.operations.engine import Assignment, WorkerEngine
from ktrdr.operations.events import ENDINGS, Failed, LeaseLost, WorkerEvent, event_from_json
from ktrdr.operations.operation import OperationError, WorkerIdentity
from ktrdr.server.engines.process_group import (
    describe_end,
    end_group,
    end_orphan,
    kill_group,
    kill_remains,
)

PROGRAM = (sys.executable, "-m", "ktrdr.worker")
LINGER = 1.0
CHECKPOINT_GRACE = 20.0


@dataclass(frozen=True, slots=True)
class Beginning:
    """What was there when a worker began: the size of its log, and the kernel's count of kills for memory."""

    log_size: int
    oom_kills: int

    def is_out_of_memory(self, log: str) -> bool:
        """Tell whether what came since then speaks of too little memory."""
        return oom_kills() > self.oom_kills or says_memory_short(Path(log), self.log_size)


@dataclass(slots=True)
class _Worker:
    process: asyncio.subprocess.Process
    writer: asyncio.StreamWriter
    reader: asyncio.StreamReader
    beginning: Beginning


class LocalProcessEngine(WorkerEngine):
    """Starts `program` with the channel's descriptor per operation; its log is `ops/<id>/worker.log`."""

    def __init__(
        self,
        state_dir: Path,
        environment: Callable[[Assignment], Mapping[str, str]],
        slots: int | None = None,
        *,
        program: Sequence[str] = PROGRAM,
    ) -> None:
        self.slots = slots or os.cpu_count() or 1
        self._program = program
        self._ops = state_dir / "ops"
        self._environment = environment
        self._workers: dict[str, _Worker] = {}
        self._closing = False

    @property
    def busy(self) -> bool:
        """Tell whether any worker is at work."""
        return bool(self._workers)

    async def run(self, assignment: Assignment) -> AsyncGenerator[WorkerEvent, None]:
        """Start a worker, yield what it says, and its ending once the whole group is gone."""
        try:
            worker = await self._spawn(assignment)
        except OSError as error:
            yield Failed(assignment.fence, _not_started(error))
            return
        self._workers[assignment.operation_id] = worker
        if self._closing:
            worker.writer.close()
        over = asyncio.create_task(_hang_up(worker))
        ending: WorkerEvent | None = None
        try:
            async for event in _events(worker.reader):
                if isinstance(event, ENDINGS):
                    ending = event
                    break
                yield event
        finally:
            await self._reap(worker, CHECKPOINT_GRACE if ending is None else LINGER)
            await over
            del self._workers[assignment.operation_id]
        yield ending or self._lost(assignment, worker)

    async def cancel(self, operation_id: str) -> None:
        """Tell the worker to stop; nothing happens if it is gone."""
        if worker := self._workers.get(operation_id):
            with contextlib.suppress(ConnectionError):
                worker.writer.write(frame(b'{"type": "cancel"}'))
                await worker.writer.drain()

    async def kill(self, operation_id: str) -> None:
        """End the worker's process group, politely and then not."""
        if worker := self._workers.get(operation_id):
            await end_group(worker.process)

    async def reap_orphan(self, worker: WorkerIdentity) -> None:
        """Return once a worker of an earlier server is certainly gone."""
        await asyncio.to_thread(end_orphan, worker)

    def log_path(self, operation_id: str) -> str:
        """Return where the worker's own words are kept."""
        return str(self._ops / operation_id / "worker.log")

    async def close(self) -> None:
        """Close every channel; workers keep a checkpoint and end, and every `run` yields its ending."""
        self._closing = True
        for worker in self._workers.values():
            worker.writer.close()

    async def _spawn(self, assignment: Assignment) -> _Worker:
        log = Path(self.log_path(assignment.operation_id))
        log.parent.mkdir(parents=True, exist_ok=True)
        variables = await asyncio.to_thread(self._environment, assignment)
        ours, theirs = socket.socketpair()
        with contextlib.ExitStack() as opened, theirs, log.open("ab") as output:
            opened.enter_context(ours)
            beginning = Beginning(output.tell(), oom_kills())
            process = await asyncio.create_subprocess_exec(
                *(*self._program, str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=(theirs.fileno(),),
                env={**variables, **_trace(assignment)},
                start_new_session=True,
            )
            opened.pop_all()
        reader, writer = await asyncio.open_connection(sock=ours)
        writer.write(frame(json.dumps(self._message(assignment)).encode()))
        return _Worker(process, writer, reader, beginning)

    def _message(self, assignment: Assignment) -> dict[str, object]:
        folder = self._ops / assignment.operation_id / "attempts" / str(assignment.fence)
        return {
            "operation_id": assignment.operation_id,
            "operation_type": assignment.operation_type,
            "fence": assignment.fence,
            "request": dict(assignment.request),
            "traceparent": assignment.traceparent,
            "work_folder": str(folder),
            "log_path": self.log_path(assignment.operation_id),
        }

    async def _reap(self, worker: _Worker, grace: float) -> None:
        worker.writer.close()
        try:
            async with asyncio.timeout(grace):
                await worker.process.wait()
        except TimeoutError:
            kill_group(worker.process.pid)
            await worker.process.wait()
        kill_remains(worker.process.pid)

    def _lost(self, assignment: Assignment, worker: _Worker) -> LeaseLost:
        log = self.log_path(assignment.operation_id)
        how = "was stopped with the server" if self._closing else describe_end(worker.process.returncode)
        detail, hint = f"the worker {how} before it had a result", f"its last words are in {log}"
        if worker.process.returncode and not self._closing and worker.beginning.is_out_of_memory(log):
            detail, hint = f"{detail}, likely out of memory", f"{HINT}; {hint}"
        return LeaseLost(assignment.fence, OperationError("worker_lost", "worker_lost", detail, hint))


async def _hang_up(worker: _Worker) -> None:
    """End the channel with the worker: what it said can still be read, whoever else holds its end."""
    await worker.process.wait()
    with contextlib.suppress(OSError):
        worker.writer.get_extra_info("socket").shutdown(socket.SHUT_RD)


def _trace(assignment: Assignment) -> dict[str, str]:
    return {"TRACEPARENT": assignment.traceparent} if assignment.traceparent else {}


def _not_started(error: OSError) -> OperationError:
    detail = f"the worker could not be started: {error}"
    return OperationError("internal", "internal", detail, "see the server's log: `ktrdr server logs`")


async def _events(reader: asyncio.StreamReader) -> AsyncGenerator[WorkerEvent, None]:
    while True:
        try:
            header = await reader.readexactly(HEADER_SIZE)
            event = event_from_json(await reader.readexactly(frame_length(header)))
        except (asyncio.IncompleteReadError, ConnectionError, ValueError):
            return
        yield event
