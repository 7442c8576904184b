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
from collections.abc import AsyncGenerator, Coroutine, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvicorn

from benchmarks.measure import Line, print_table, ratios
from ktrdr.kinds.dummy import KIND
from ktrdr.market_data.store import BarStore
from ktrdr.model_catalog.catalog import ModelCatalog
from ktrdr.operations.context import OperationContext
from ktrdr.operations.engine import Assignment
from ktrdr.server.app import create_app
from ktrdr.server.daemon import bind_socket
from ktrdr.server.engines.inline import InlineEngine
from ktrdr.server.stores.sqlite import SqliteOperationStore

FOLLOWERS, OPERATIONS, EVENTS_A_SECOND = 1000, 50, 10
WINDOW, RUNS, POLL_SECONDS = 5.0, 3, 0.3
SAID = b'"message":"'
JSON = "Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close"


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


def serve(home: Path) -> None:
    """Serve the real app over work that only says what time it is."""
    os.sched_setaffinity(0, {0})
    engine = InlineEngine(_work, home, slots=OPERATIONS)
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


async def _start_all(home: Path) -> list[str]:
    for number in range(OPERATIONS):
        reader, writer = await asyncio.open_unix_connection(str(home / "s"))
        headers = f"Host: ktrdr\r\nIdempotency-Key: op_{number}\r\n{JSON}"
        writer.write(f"POST /api/v1/dummy/start HTTP/1.1\r\n{headers}\r\n\r\n{{}}".encode())
        assert b"202" in await reader.readline()
        writer.close()
    return [f"op_{number}" for number in range(OPERATIONS)]


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


async def _window(home: Path, server: psutil.Process, ids: list[str], how: str) -> Window:
    seen: list[float] = []
    before = server.memory_info().rss
    work: list[Coroutine[Any, Any, None]] = [
        FOLLOWING[how](home, ids[number % OPERATIONS], seen) for number in range(FOLLOWERS)
    ]
    tasks = [asyncio.ensure_future(each) for each in work]
    await asyncio.sleep(2.0)
    seen.clear()
    began, spent = time.perf_counter(), sum(server.cpu_times()[:2])
    await asyncio.sleep(WINDOW)
    cpu = (sum(server.cpu_times()[:2]) - spent) / (time.perf_counter() - began)
    latencies, memory = sorted(seen), server.memory_info().rss
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    p99 = latencies[int(0.99 * len(latencies))] * 1000
    return Window(p99, cpu, max(memory - before, 0) / FOLLOWERS / 1000, len(latencies))


@contextlib.asynccontextmanager
async def _served() -> AsyncGenerator[tuple[Path, psutil.Process], None]:
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "benchmarks.followers", folder]
        with subprocess.Popen(command) as process:
            while not (Path(folder) / "s").exists():
                await asyncio.sleep(0.05)
            try:
                yield Path(folder), psutil.Process(process.pid)
            finally:
                process.kill()


async def _measure() -> tuple[list[Window], list[Window]]:
    os.sched_setaffinity(0, {1 % (os.cpu_count() or 1)})
    streams, polls = [], []
    async with _served() as (home, server):
        ids = await _start_all(home)
        for _ in range(RUNS):
            streams.append(await _window(home, server, ids, "stream"))
            polls.append(await _window(home, server, ids, "poll"))
    return streams, polls


def main() -> None:
    """Print the table."""
    streams, polls = asyncio.run(_measure())
    expected = FOLLOWERS * EVENTS_A_SECOND * WINDOW
    lines = [
        Line("p99 latency of an event, streamed", [each.p99 for each in streams], "ms"),
        Line("p99 latency of an event, polled each 300 ms", [each.p99 for each in polls], "ms"),
        Line("p99 latency, streamed / polled", ratios(*_both(streams, polls, "p99")), at_most=1.0),
        Line("the server's core, streamed", [each.cpu for each in streams], "cores"),
        Line("the server's core, streamed / polled", ratios(*_both(streams, polls, "cpu"))),
        Line("events seen of those said, streamed", [each.events / expected for each in streams]),
        Line("events seen of those said, polled", [each.events / expected for each in polls]),
        Line("memory a follower, first window", [streams[0].kilobytes], "kB"),
        Line("requests of a followed minute, streamed / polled", [2 / (60 / POLL_SECONDS)], at_most=0.1),
    ]
    print_table(
        f"{FOLLOWERS:,} followers of {OPERATIONS} operations, {EVENTS_A_SECOND} events a second", lines
    )


def _both(first: list[Window], second: list[Window], name: str) -> tuple[list[float], list[float]]:
    return [getattr(each, name) for each in first], [getattr(each, name) for each in second]


if __name__ == "__main__":
    if len(sys.argv) > 1:
        serve(Path(sys.argv[1]))
    else:
        main()
