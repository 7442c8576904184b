"""The embedded server's life: one lock, one private socket, an end when nobody needs it."""

import asyncio
import os
import signal
import socket
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from starlette.types import Receive, Scope, Send

from ktrdr.clock import SystemClock
from ktrdr.errors import InputInvalid
from ktrdr.private_directory import private_directory
from ktrdr.server import __main__ as program
from ktrdr.server.daemon import (
    AlreadyRunning,
    bind_loopback,
    bind_socket,
    serve,
    take_lock,
)
from ktrdr.settings import Settings
from support.doors import app


def answer_of(path: Path, request: bytes = b"GET /") -> bytes:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(request + b" HTTP/1.1\r\nHost: ktrdr\r\nConnection: close\r\n\r\n")
        return b"".join(iter(lambda: connection.recv(4096), b""))


async def life(path: Path, *, is_busy: Callable[[], bool], met: Callable[[], object]) -> object:
    """Serve until idle and return what was met once the server was ready."""
    found: list[asyncio.Future[object]] = []
    loop = asyncio.get_running_loop()
    drained: list[None] = []

    async def drain() -> None:
        drained.append(None)

    await serve(
        app,
        [bind_socket(path)],
        SystemClock(),
        ready=lambda: found.append(loop.run_in_executor(None, met)),
        drain=drain,
        is_busy=is_busy,
        idle_seconds=0.05,
    )
    assert drained == [None]
    return await found[0]


def test_it_answers_on_a_private_socket_and_ends_when_idle(tmp_path: Path) -> None:
    path = tmp_path / "s"
    assert b"hello" in bytes(asyncio.run(life(path, is_busy=lambda: False, met=lambda: answer_of(path))))  # type: ignore[arg-type]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_fault_56_what_comes_while_a_server_ends_is_sent_away_to_come_again(tmp_path: Path) -> None:
    """Nothing begins in the moments between the decision to end and the end; what is there is still told."""
    answers: list[bytes] = []
    path = tmp_path / "s"

    async def drain() -> None:
        for request in (b"POST /api/v1/dummy/start", b"POST /api/v1/operations/x/cancel", b"GET /"):
            answers.append(await asyncio.to_thread(answer_of, path, request))

    work = serve(
        app,
        [bind_socket(path)],
        SystemClock(),
        ready=lambda: None,
        drain=drain,
        is_busy=lambda: False,
        idle_seconds=0.05,
    )
    asyncio.run(work)
    begins, cancels, looks = answers
    assert begins.startswith(b"HTTP/1.1 503 ")
    assert b"\r\nretry-after: 1\r\n" in begins
    assert b"the server is ending" in begins
    assert b"hello" in cancels
    assert b"hello" in looks


def test_it_does_not_end_while_something_is_asked(tmp_path: Path) -> None:
    """However long the answer takes."""
    slow = asyncio.Event()
    looks: list[None] = []

    async def slow_app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await slow.wait()
        await app(scope, receive, send)

    def renewed() -> None:
        looks.append(None)
        if len(looks) == 8:
            slow.set()

    async def scenario() -> bytes:
        answer: list[asyncio.Future[bytes]] = []
        loop = asyncio.get_running_loop()

        async def drain() -> None:
            assert slow.is_set()

        await serve(
            slow_app,
            [bind_socket(tmp_path / "s")],
            SystemClock(),
            ready=lambda: answer.append(loop.run_in_executor(None, answer_of, tmp_path / "s")),
            drain=drain,
            is_busy=lambda: not slow.is_set() and not looks,
            idle_seconds=0.05,
            renewed=renewed,
        )
        return await answer[0]

    assert b"hello" in asyncio.run(scenario())


def test_a_server_that_ends_does_not_open_its_door_again(tmp_path: Path) -> None:
    looks: list[None] = []

    async def scenario() -> None:
        interrupt = partial(asyncio.get_running_loop().call_soon, signal.raise_signal, signal.SIGINT)
        await serve(
            app,
            [bind_socket(tmp_path / "s")],
            SystemClock(),
            ready=interrupt,
            drain=partial(asyncio.sleep, 0),
            is_busy=lambda: False,
            idle_seconds=0.01,
            renewed=lambda: looks.append(None),
        )

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(scenario())
    assert looks == []


def test_it_does_not_end_while_something_runs(tmp_path: Path) -> None:
    looks: list[None] = []

    def is_busy() -> bool:
        looks.append(None)
        return len(looks) < 4

    asyncio.run(life(tmp_path / "s", is_busy=is_busy, met=lambda: None))
    assert len(looks) == 4


def test_fault_53_a_second_holder_of_the_lock_is_refused(tmp_path: Path) -> None:
    held = take_lock(tmp_path / "lock")
    with pytest.raises(AlreadyRunning):
        take_lock(tmp_path / "lock")
    os.close(held)
    os.close(take_lock(tmp_path / "lock"))


def test_fault_52_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    bind_socket(tmp_path / "s").close()
    with bind_socket(tmp_path / "s"), socket.socket(socket.AF_UNIX) as client:
        assert client.connect_ex(str(tmp_path / "s")) == 0


def test_sec_02_a_directory_that_is_not_private_is_refused(tmp_path: Path) -> None:
    private_directory(tmp_path / "a" / "mine")
    assert stat.S_IMODE((tmp_path / "a" / "mine").stat().st_mode) == 0o700
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o755)
    (tmp_path / "link").symlink_to(tmp_path / "a" / "mine")
    (tmp_path / "file").write_text("")
    for name in ("open", "link", "file"):
        with pytest.raises(InputInvalid, match="not private"):
            private_directory(tmp_path / name)


def test_a_port_that_is_taken_is_one_sentence() -> None:
    with bind_loopback(0) as taken:
        port = taken.getsockname()[1]
        assert taken.getsockname()[0] == "127.0.0.1"
        with pytest.raises(InputInvalid, match=f"port {port} cannot be used: Address already in use"):
            bind_loopback(port)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KTRDR_HOME", str(tmp_path / "k"))
    monkeypatch.setattr("sys.argv", ["server", "--idle-seconds", "0.05", "--slots", "1"])
    return tmp_path / "k"


def test_the_program_serves_a_home_and_ends_when_idle(home: Path) -> None:
    mask = os.umask(0o022)
    assert program.main() == 0
    os.umask(mask)
    assert stat.S_IMODE((home / "state" / "operations.sqlite").stat().st_mode) == 0o600
    assert Settings.load().server_note.is_file()


def test_the_program_leaves_a_home_that_is_served(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    private_directory(home / "state")
    held = take_lock(home / "state" / "server.lock")
    assert program.main() == 0
    os.close(held)
    assert capsys.readouterr().out == "the server is already running\n"


def test_a_port_is_not_served_by_the_server_that_runs_already(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A script that asks for one must not go on as if it were served."""
    monkeypatch.setattr("sys.argv", ["server", "--port", "1"])
    private_directory(home / "state")
    held = take_lock(home / "state" / "server.lock")
    assert program.main() == 1
    os.close(held)
    said = capsys.readouterr().err
    assert said.startswith("error: the server is already running\nhint: end it with `ktrdr server stop`")


def test_the_help_tells_where_the_token_of_a_port_is(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["server", "--help"])
    with pytest.raises(SystemExit):
        program.main()
    shown = " ".join(capsys.readouterr().out.split())
    assert "KTRDR_TOKEN_FILE=<file> ktrdr operations list --url" in shown
    assert "default: 900; 0: never" in shown


def test_the_program_says_what_is_wrong_with_a_home(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = Settings.load().runtime_dir
    folder.mkdir(parents=True)
    folder.chmod(0o777)
    assert program.main() == 1
    assert "not private" in capsys.readouterr().err
