"""A thousand followers of fifty running operations at ten events a second, the server on one core.

Streams and a 300 ms poller are measured in turns in one run. An event carries the time at which the work
said it, so its latency is what a follower sees, from the report to the read. Server and followers have a core
each; the work is simulated inside the server, whose core also pays for that.
"""

import asyncio
import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Coroutine, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvicorn

from benchmarks.measure import Line, ratios, run
from ktrdr.kinds.dummy import KIND
from ktrdr.market_data.store import BarStore
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.operations.context import OperationContext
from ktrdr.operations.engine import Assignment
from ktrdr.server.app import create_app
from ktrdr.server.daemon import bind_socket
from ktrdr.server.engines.inline import InlineEngine
from ktrdr.server.stores.sqlite import SqliteOperationStore

EVENTS_A_SECOND, POLL_SECONDS = 10, 0.3
SERVE = "--serve"
TITLE = f"Followers of operations that say {EVENTS_A_SECOND} things a second"
SAID = b'"message":"'
JSON = "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close"


@dataclass(frozen=True, slots=True)
class Size:
    """Followers of so many operations, how long they settle and are watched in seconds, and how often."""

    followers: int
    operations: int
    settling: float
    watched: float
    runs: int


FULL, SMALL = Size(1000, 50, 2.0, 5.0, 3), Size(20, 5, 0.5, 0.5, 1)


@dataclass(frozen=True, slots=True)
class Window:
    """What one window measured: p99 latency in ms, the server's CPU share, kB a follower, events seen."""

    p99: float
    cpu: float
    kilobytes: float
    events: int


async def _work(_: Assignment, context: OperationContext) -> Mapping[str, Any]:
    while True:
        context.report(50.0, f"{time.time():.6f}")
        await asyncio.sleep(1 / EVENTS_A_SECOND)


def serve(home: Path, slots: int) -> None:
    """Serve the real app over work that only says what time it is."""
    os.sched_setaffinity(0, {0})
    engine = InlineEngine(_work, home, slots=slots)
    store = SqliteOperationStore(home / "operations.sqlite")
    app = create_app(
        store, engine, {KIND.name: KIND}, catalog=ModelCatalog(home), bars=BarStore(home), uploads=home
    )
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", timeout_graceful_shutdown=1))
    asyncio.run(server.serve(sockets=[bind_socket(home / "s")]))


async def _request(home: Path, text: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_unix_connection(str(home / "s"), limit=1 << 20)
    writer.write(f"{text} HTTP/1.1\r\nHost: ktrdr\r\n\r\n".encode())
    return reader, writer


async def _start_all(home: Path, count: int) -> list[str]:
    for number in range(count):
        reader, writer = await asyncio.open_unix_connection(str(home / "s"))
        headers = f"Host: ktrdr\r\nIdempotency-Key: op_{number}\r\n{JSON}"
        writer.write(f"POST /api/v1/dummy/start HTTP/1.1\r\n{headers}\r\n\r\n{{}}".encode())
        assert b"202" in await reader.readline()
        writer.close()
    return [f"op_{number}" for number in range(count)]


def _latency(line: bytes) -> tuple[bytes, float] | None:
    at = line.find(SAID)
    said = line[at + len(SAID) : line.find(b'"', at + len(SAID))] if at >= 0 else b""
    return (said, time.time() - float(said)) if said else None


async def _stream(home: Path, operation_id: str, seen: list[float]) -> None:
    reader, writer = await _request(home, f"GET /api/v1/operations/{operation_id}/events")
    try:
        while line := await reader.readline():
            if found := _latency(line):
                seen.append(found[1])
    finally:
        writer.close()


async def _poll(home: Path, operation_id: str, seen: list[float]) -> None:
    reader, writer = await _request(home, f"GET /api/v1/operations/{operation_id}")
    last = b""
    try:
        while True:
            while (line := await reader.readline()).strip():
                if line.lower().startswith(b"content-length"):
                    length = int(line.split(b":")[1])
            found = _latency(await reader.readexactly(length))
            if found and found[0] != last:
                last = found[0]
                seen.append(found[1])
            await asyncio.sleep(POLL_SECONDS)
            writer.write(f"GET /api/v1/operations/{operation_id} HTTP/1.1\r\nHost: ktrdr\r\n\r\n".encode())
    finally:
        writer.close()


FOLLOWING = {"stream": _stream, "poll": _poll}


async def _window(size: Size, home: Path, server: psutil.Process, ids: list[str], how: str) -> Window:
    seen: list[float] = []
    before = server.memory_info().rss
    work: list[Coroutine[Any, Any, None]] = [
        FOLLOWING[how](home, ids[number % size.operations], seen) for number in range(size.followers)
    ]
    tasks = [asyncio.ensure_future(each) for each in work]
    await asyncio.sleep(size.settling)
    seen.clear()
    began, spent = time.perf_counter(), sum(server.cpu_times()[:2])
    await asyncio.sleep(size.watched)
    cpu = (sum(server.cpu_times()[:2]) - spent) / (time.perf_counter() - began)
    latencies, memory = sorted(seen), server.memory_info().rss
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    p99 = latencies[int(0.99 * len(latencies))] * 1000
    return Window(p99, cpu, max(memory - before, 0) / size.followers / 1000, len(latencies))


@contextlib.asynccontextmanager
async def _served(slots: int) -> AsyncGenerator[tuple[Path, psutil.Process], None]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.followers", SERVE, folder, str(slots)]
        with subprocess.Popen(command) as process:
            while not (Path(folder) / "s").exists():
                await asyncio.sleep(0.05)
            try:
                yield Path(folder), psutil.Process(process.pid)
            finally:
                process.kill()


async def _measure(size: Size) -> tuple[list[Window], list[Window]]:
    os.sched_setaffinity(0, {1 % (os.cpu_count() or 1)})
    streams, polls = [], []
    async with _served(size.operations) as (home, server):
        ids = await _start_all(home, size.operations)
        for _ in range(size.runs):
            streams.append(await _window(size, home, server, ids, "stream"))
            polls.append(await _window(size, home, server, ids, "poll"))
    return streams, polls


def lines(size: Size) -> Iterator[Line]:
    """Measure and yield the lines."""
    streams, polls = asyncio.run(_measure(size))
    expected = size.followers * EVENTS_A_SECOND * size.watched
    yield Line("p99 latency of an event, streamed", [each.p99 for each in streams], "ms", at_most=40.0)
    yield Line("p99 latency of an event, polled each 300 ms", [each.p99 for each in polls], "ms")
    yield Line("p99 latency, streamed / polled", ratios(*_both(streams, polls, "p99")), at_most=1.0)
    yield Line("the server's core, streamed", [each.cpu for each in streams], "cores", at_most=0.3)
    yield Line("the server's core, streamed / polled", ratios(*_both(streams, polls, "cpu")))
    yield Line("events seen of those said, streamed", [each.events / expected for each in streams])
    yield Line("events seen of those said, polled", [each.events / expected for each in polls])
    yield Line("memory a follower, first window", [streams[0].kilobytes], "kB")
    yield Line("requests of a followed minute, streamed / polled", [2 / (60 / POLL_SECONDS)], at_most=0.1)


def _both(first: list[Window], second: list[Window], name: str) -> tuple[list[float], list[float]]:
    return [getattr(each, name) for each in first], [getattr(each, name) for each in second]


def main() -> None:
    """Print the table, or be the server that is measured."""
    if sys.argv[1:2] == [SERVE]:
        return serve(Path(sys.argv[2]), int(sys.argv[3]))
    return run(TITLE, lines, full=FULL, small=SMALL)


if __name__ == "__main__":
    main()
