"""Row 70: without descriptors left nobody is let in, nothing that runs is lost, and one line says so."""

import asyncio
import os
import resource
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ktrdr.server.connections import QUIET_SECONDS, QuietAccept, most_connections, raise_descriptor_limit
from support.doors import served
from support.installation import HANG_GUARD, Installation
from support.operations import StillClock

WHOLE = b"GET /api/v1/health HTTP/1.1\r\nHost: ktrdr\r\n\r\n"
CROWD = 100
NOT_NOW = "no connection can be accepted for now: "


@contextmanager
def descriptors(limit: int) -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)


def knock(path: Path) -> socket.socket:
    """Ask in whole; the answer, or the end, can be read from what is returned."""
    client = socket.socket(socket.AF_UNIX)
    client.connect(str(path))
    client.sendall(WHOLE)
    return client


def most_open() -> int:
    opened = os.open("/proc/self/fd", os.O_RDONLY)
    os.close(opened)  # the lowest that is free
    return opened - 1


def test_fault_70_a_server_with_64_descriptors_turns_a_crowd_away_and_its_work_goes_on(
    ktrdr: Installation,
) -> None:
    script = f"ulimit -n 64; exec {ktrdr.python} -m ktrdr.server --ready-fd 1"
    log = ktrdr.home / "log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            ["bash", "-c", script], env=ktrdr.environment, stdout=subprocess.PIPE, stderr=errors
        ) as server,
    ):
        assert server.stdout
        assert server.stdout.readline() == b"ready\n"
        ktrdr.run("dummy", "run", "--duration", "1", "--iterations", "10", "--detach")
        crowd = [knock(ktrdr.settings.socket_path) for _ in range(CROWD)]
        answers = [each.recv(12) for each in crowd]
        assert answers.count(b"HTTP/1.1 503") >= CROWD - 64
        assert answers.count(b"HTTP/1.1 200") >= 8
        assert len(answers) == answers.count(b"HTTP/1.1 503") + answers.count(b"HTTP/1.1 200")
        for each in crowd:
            each.close()
        assert ktrdr.run("operations", "wait", "@last").stdout.endswith("completed\n")
        server.terminate()
    assert [each for each in log.read_text().splitlines() if not each.startswith(NOT_NOW)] == []
    assert log.read_text().count(NOT_NOW) <= 1


@pytest.mark.anyio
async def test_fault_70_an_accept_that_fails_pauses_and_is_said_in_one_line(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with served(tmp_path):
        client = socket.socket(socket.AF_UNIX)
        client.setblocking(False)
        with descriptors(most_open() + 1):
            client.connect(str(tmp_path / "s"))
            client.sendall(WHOLE)
            async with asyncio.timeout(HANG_GUARD / 6):
                while not caplog.records:
                    await asyncio.sleep(0)
        reader, writer = await asyncio.open_unix_connection(sock=client)
        assert await reader.readexactly(12) == b"HTTP/1.1 200"
        writer.close()
        await writer.wait_closed()
    (line,) = caplog.records
    assert line.getMessage() == f"{NOT_NOW}[Errno 24] Too many open files"
    assert line.exc_info is None


def test_fault_70_what_fails_again_and_again_is_said_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    clock = StillClock()
    handler = QuietAccept(clock)
    loop = asyncio.new_event_loop()
    for _ in range(1000):
        handler(loop, {"message": "socket.accept() out of system resource", "exception": OSError(24, "x")})
    assert len(caplog.records) == 1
    clock.advance(QUIET_SECONDS)
    handler(loop, {"message": "socket.accept() out of system resource", "exception": OSError(24, "x")})
    handler(loop, {"message": "something else"})
    loop.close()
    assert [each.getMessage()[:14] for each in caplog.records[1:]] == ["no connection ", "something else"]


def test_a_server_allows_itself_what_it_may_and_keeps_some_for_its_work() -> None:
    with descriptors(100):
        assert most_connections() == 56
        raise_descriptor_limit()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        assert soft == min(hard, 16_384)
    with descriptors(40):
        assert most_connections() == 8
