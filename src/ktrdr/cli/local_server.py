"""Find the embedded server, or start it: a command never needs to know which."""

import json
import os
import socket
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from select import select

import psutil

from ktrdr.build import build_fingerprint
from ktrdr.clock import Clock, SystemClock
from ktrdr.errors import Unavailable
from ktrdr.private_directory import private_directory
from ktrdr.settings import Settings

START_TIMEOUT = 15.0
LOG_LINES = 20


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """The server that owns a home, as it wrote itself down."""

    pid: int
    started_at: float
    build: str

    def process(self) -> psutil.Process | None:
        """Return the live process, or None if it is gone or its pid is somebody else's."""
        try:
            process = psutil.Process(self.pid)
            return process if process.create_time() == self.started_at else None
        except psutil.NoSuchProcess:
            return None


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
    """Return who serves this home, or None if nobody does."""
    try:
        written = json.loads((settings.runtime_dir / "server.json").read_bytes())
    except FileNotFoundError:
        return None
    identity = ServerIdentity(written["pid"], written["started_at"], written["build"])
    return identity if identity.process() else None


def start_server(settings: Settings, clock: Clock | None = None) -> None:
    """Start a server in a session of its own and return when one answers; of many, one wins."""
    clock = clock or SystemClock()
    deadline = clock.monotonic() + START_TIMEOUT
    settings.state_dir.mkdir(parents=True, exist_ok=True)
    reader, writer = os.pipe()
    pid = _spawn(settings, writer)
    os.close(writer)
    if _read_until_ready(reader, deadline - clock.monotonic()):
        return
    exit_code = _exit_code_by(pid, clock, deadline)
    if exit_code is None:
        hint = "it is still starting: try again, or see `ktrdr server logs`"
        raise Unavailable(f"the embedded server took over {START_TIMEOUT:.0f} s", retry_after=1.0, hint=hint)
    if exit_code or not _becomes_listening(settings.socket_path, clock, deadline):
        hint = _why(settings, exit_code)
        raise Unavailable("the embedded server did not start", retry_after=1.0, hint=hint)


def stop_server(identity: ServerIdentity) -> None:
    """Ask the server to stop and wait until it has: it lets workers keep their checkpoints first."""
    if process := identity.process():
        process.terminate()
        process.wait()


def active_operations(settings: Settings) -> int:
    """Ask the server how many operations are open."""
    return int(_health(settings)["active_operations"])


def _health(settings: Settings) -> dict[str, int | str]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
        connection.settimeout(5.0)
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


def _spawn(settings: Settings, ready: int) -> int:
    """Start the server, which outlives this process, and return its pid."""
    os.set_inheritable(ready, True)
    with settings.server_log.open("ab") as log:
        return os.posix_spawn(
            sys.executable,
            [sys.executable, "-m", "ktrdr.server", "--ready-fd", str(ready)],
            os.environ,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, log.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, log.fileno(), 2),
            ],
            setsid=True,
        )


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


def _becomes_listening(path: Path, clock: Clock, deadline: float) -> bool:
    while clock.monotonic() < deadline:
        if is_listening(path):
            return True
        select([], [], [], 0.02)
    return False


def _why(settings: Settings, exit_code: int) -> str:
    lines = settings.server_log.read_text(errors="replace").splitlines()[-LOG_LINES:]
    return "\n".join((f"it exited with {exit_code}; the end of {settings.server_log}:", *lines))
