"""Find the embedded server, or start it: a command never needs to know which."""

import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from select import select
from signal import SIGKILL, SIGTERM, Signals

from ktrdr.build import build_fingerprint
from ktrdr.clock import Clock, SystemClock
from ktrdr.errors import Unavailable
from ktrdr.private_directory import private_directory
from ktrdr.process_identity import PROC, is_running, send_signal
from ktrdr.settings import Settings

START_TIMEOUT = 15.0
STOP_TIMEOUT = 30.0
RIVAL_SECONDS = 1.0
ANSWER_TIMEOUT = 5.0
LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """The server that owns a home, as it wrote itself down."""

    pid: int
    started_at: str | float
    build: str

    @property
    def is_running(self) -> bool:
        """Tell whether it lives; its pid may be somebody else's by now."""
        return is_running(self.pid, self.started_at)


def ensure_server(settings: Settings, warn: Callable[[str], None]) -> Path:
    """Return the socket of a server that answers, starting one if none does.

    An idle server of another build is replaced; a busy one is used with one warning. Raises Unavailable
    with the log's last lines if no server comes up.
    """
    private_directory(settings.runtime_dir)
    if is_listening(settings.socket_path) and not _is_outdated(settings, warn):
        return settings.socket_path
    start_server(settings)
    return settings.socket_path


def is_listening(path: Path) -> bool:
    """Tell whether somebody accepts connections on the socket."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        return probe.connect_ex(str(path)) == 0


def read_identity(settings: Settings) -> ServerIdentity | None:
    """Return who serves this home, or None if nobody does or nobody wrote itself down properly."""
    try:
        written = json.loads((settings.runtime_dir / "server.json").read_bytes())
        identity = ServerIdentity(int(written["pid"]), written["started_at"], written["build"])
        return identity if identity.is_running else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def start_server(settings: Settings, clock: Clock | None = None) -> None:
    """Start a server in a session of its own and return when one answers; of many, one wins."""
    clock = clock or SystemClock()
    deadline = clock.monotonic() + START_TIMEOUT
    while not _try_to_start(settings, clock, deadline):
        if clock.monotonic() >= deadline:
            raise Unavailable(
                "the embedded server did not start", retry_after=1.0, hint="another one does not let go"
            )


def _try_to_start(settings: Settings, clock: Clock, deadline: float) -> bool:
    """Start a server; False if another one held the lock and does not listen: it is stopping."""
    pid, reader = _spawn(settings)
    if _read_until_ready(reader, deadline - clock.monotonic()):
        return True
    exit_code = _exit_code_by(pid, clock, deadline)
    if exit_code is None:
        hint = "it is still starting: try again, or see `ktrdr server logs`"
        raise Unavailable(f"the embedded server took over {START_TIMEOUT:.0f} s", retry_after=1.0, hint=hint)
    if exit_code:
        hint = _why(settings, exit_code)
        raise Unavailable("the embedded server did not start", retry_after=1.0, hint=hint)
    soon = min(deadline, clock.monotonic() + RIVAL_SECONDS)
    return _until(lambda: is_listening(settings.socket_path), clock, soon)


def stop_server(identity: ServerIdentity, *, force: bool = False, timeout: float | None = None) -> None:
    """Ask the server to stop and wait until it has: it lets workers keep their checkpoints first.

    One that has not stopped after `timeout` seconds is killed by force; otherwise Unavailable is raised.
    """
    seconds = STOP_TIMEOUT if timeout is None else timeout
    ways = (SIGTERM, SIGKILL) if force else (SIGTERM,)
    if not any(_ends(identity, way, seconds) for way in ways):
        raise _silent(identity, f"has not stopped within {seconds:g} s")


def _ends(identity: ServerIdentity, way: Signals, seconds: float) -> bool:
    """End it by this signal; tell whether the server is gone within the seconds."""
    send_signal(identity.pid, identity.started_at, way)
    clock = SystemClock()
    return _until(lambda: not identity.is_running, clock, clock.monotonic() + seconds)


def active_operations(settings: Settings) -> int:
    """Ask the server how many operations are open; raises Unavailable if it does not answer."""
    try:
        return int(_health(settings)["active_operations"])
    except (OSError, ValueError, LookupError):
        raise _silent(read_identity(settings), "does not answer") from None


def _silent(identity: ServerIdentity | None, words: str) -> Unavailable:
    who = f"the server (process {identity.pid})" if identity else "the server"
    hint = "see `ktrdr server logs`, or end it with `ktrdr server stop --force`"
    return Unavailable(f"{who} {words}", retry_after=1.0, hint=hint)


def _health(settings: Settings) -> dict[str, int | str]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(ANSWER_TIMEOUT)
        connection.connect(str(settings.socket_path))
        connection.sendall(b"GET /api/v1/health HTTP/1.1\r\nHost: ktrdr\r\nConnection: close\r\n\r\n")
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    data: dict[str, int | str] = json.loads(answer.partition(b"\r\n\r\n")[2])["data"]
    return data


def _is_outdated(settings: Settings, warn: Callable[[str], None]) -> bool:
    identity = read_identity(settings)
    if identity is None or identity.build == build_fingerprint():
        return False
    if active_operations(settings):
        warn("the running server is of another build; it is replaced when its operations have ended")
        return False
    stop_server(identity)
    return True


def _spawn(settings: Settings) -> tuple[int, int]:
    """Start the server, which outlives this process; return its pid and where it says that it is ready."""
    reader, writer = os.pipe()
    try:
        settings.state_dir.mkdir(parents=True, exist_ok=True)
        with settings.server_log.open("ab") as log:
            return _exec_server(log.fileno(), writer), reader
    except OSError as error:
        os.close(reader)
        raise Unavailable(f"the embedded server cannot be started: {error}", retry_after=1.0) from None
    finally:
        os.close(writer)


def _exec_server(log: int, ready: int) -> int:
    os.set_inheritable(ready, True)
    return os.posix_spawn(
        sys.executable,
        [sys.executable, "-m", "ktrdr.server", "--ready-fd", str(ready)],
        os.environ,
        file_actions=[
            *((os.POSIX_SPAWN_CLOSE, each) for each in _inherited() if each != ready),
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, log, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ],
        setsid=True,
    )


def _inherited() -> list[int]:
    """Return the descriptors beyond the standard ones that whoever started this process left open.

    The server lives on: it would hold their locks, and keep the readers of their pipes waiting.
    """
    opened = [int(each.name) for each in (PROC / "self" / "fd").iterdir()]
    return [each for each in opened if each > 2 and _is_inheritable(each)]


def _is_inheritable(descriptor: int) -> bool:
    try:
        return os.get_inheritable(descriptor)
    except OSError:  # the one that listed them is closed by now
        return False


def _read_until_ready(descriptor: int, seconds: float) -> bool:
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        readable, _, _ = select([pipe], [], [], max(seconds, 0.0))
        return bool(readable) and pipe.read(6) == b"ready\n"


def _exit_code_by(pid: int, clock: Clock, deadline: float) -> int | None:
    """Return the exit code of a child, or None if it still lives at the deadline."""
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            return os.waitstatus_to_exitcode(status)
        if clock.monotonic() >= deadline:
            return None
        select([], [], [], 0.02)


def _until(condition: Callable[[], bool], clock: Clock, deadline: float) -> bool:
    """Wait for the condition; tell whether it became true before the deadline."""
    while not condition():
        if clock.monotonic() >= deadline:
            return False
        select([], [], [], 0.02)
    return True


def _why(settings: Settings, exit_code: int) -> str:
    lines = settings.server_log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join((f"it exited with {exit_code}; the end of {settings.server_log}:", *lines))
