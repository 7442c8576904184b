"""Find the embedded server, or start it: a command never needs to know which."""

import os
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from select import select
from signal import SIGKILL, SIGTERM, Signals
from typing import BinaryIO

from ktrdr.build import API_VERSION, build_fingerprint
from ktrdr.client.local_answer import local_answer
from ktrdr.client.local_socket import is_listening
from ktrdr.client.server_identity import ServerIdentity, read_identity, refuse_other_folders
from ktrdr.client.start_report import READY, first_words, refusal_of
from ktrdr.clock import Clock, SystemClock
from ktrdr.disk_space import ROOM_TO_START, room_for
from ktrdr.errors import Conflict, ContactLost, DiskFull, Unavailable
from ktrdr.network_disks import refuse_network_disk
from ktrdr.private_directory import first_private, tightened_directory
from ktrdr.process_identity import PROC, send_signal
from ktrdr.settings import Settings

START_TIMEOUT = 15.0
STOP_TIMEOUT = 30.0
RIVAL_SECONDS = 1.0
SOCKET_TIMEOUT = 3.0
ANSWER_TIMEOUT = 5.0
NO_HEALTH: Mapping[str, int | str] = {"active_operations": 0, "api_version": 0}
LOG_HINT = "see `ktrdr server logs`"
LOG_LINES = 20


def ensure_server(settings: Settings, warn: Callable[[str], None]) -> Path:
    """Return the socket of a server of this state folder that answers, starting one if none does.

    An idle server of another build is replaced; a busy one is used with one warning. Raises Unavailable with
    the log's last lines if no server comes up, and Conflict if the one that runs keeps its data elsewhere.
    """
    tightened_directory(settings.state_dir)
    with suppress(OSError):  # where nothing can be removed, nothing can be started: that is told then
        settings.stop_mark.unlink()
    return _found_or_started(settings, warn)


def restore_server(settings: Settings, warn: Callable[[str], None]) -> Path:
    """Do so for a command that lost its server; raises ContactLost if somebody stopped that on purpose."""
    if settings.stop_mark.exists():
        raise ContactLost(
            "the server was stopped; `ktrdr operations list` starts it and tells how things are"
        )
    return _found_or_started(settings, warn)


def _found_or_started(settings: Settings, warn: Callable[[str], None]) -> Path:
    identity = _listening(settings, SOCKET_TIMEOUT)
    if identity is None and (deaf := read_identity(settings)):
        warn(f"waiting for the server (process {deaf.pid}), which takes no more commands")
    if identity is None or _is_outdated(identity, warn):
        start_server(settings)
        identity = _listening(settings, SOCKET_TIMEOUT)
    if identity is None:
        raise Unavailable("the embedded server has ended again", retry_after=1.0, hint=LOG_HINT)
    return identity.socket


def _listening(settings: Settings, seconds: float) -> ServerIdentity | None:
    """Return the running server once it listens; it has some seconds to make a removed socket again."""
    clock = SystemClock()
    deadline = clock.monotonic() + seconds
    while identity := read_identity(settings):
        refuse_other_folders(identity, settings)
        if is_listening(identity.socket, identity.pid):
            return identity
        if clock.monotonic() >= deadline:
            return None
        select([], [], [], 0.02)
    return None


def start_server(settings: Settings, clock: Clock | None = None) -> None:
    """Start a server in a session of its own and return when one answers; of many, one wins."""
    clock = clock or SystemClock()
    deadline = clock.monotonic() + START_TIMEOUT
    refuse_network_disk(settings.state_dir)
    first_private(settings.runtime_dirs)
    while not _try_to_start(settings, clock, deadline):
        if clock.monotonic() >= deadline:
            raise Unavailable(
                "the embedded server did not start", retry_after=1.0, hint="another one does not let go"
            )


def _try_to_start(settings: Settings, clock: Clock, deadline: float) -> bool:
    """Start a server; False if another one held the lock and does not listen: it is stopping."""
    pid, reader = _spawn(settings)
    said = first_words(reader, deadline - clock.monotonic())
    if said == READY:
        return True
    exit_code = _exit_code_by(pid, clock, deadline)
    if exit_code is None:
        hint = "it is still starting: try again, or see `ktrdr server logs`"
        raise Unavailable(f"the embedded server took over {START_TIMEOUT:.0f} s", retry_after=1.0, hint=hint)
    if exit_code:
        hint = _why(settings, exit_code)
        untold = Unavailable("the embedded server did not start", retry_after=1.0, hint=hint)
        raise refusal_of(said) or untold
    return _listening(settings, RIVAL_SECONDS) is not None


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


def active_operations(identity: ServerIdentity) -> int:
    """Ask the server how many operations are open; raises Unavailable if it does not answer."""
    return int(_health(identity)["active_operations"])


def _silent(identity: ServerIdentity, words: str) -> Unavailable:
    hint = f"{LOG_HINT}, or end it with `ktrdr server stop --force`"
    return Unavailable(f"the server (process {identity.pid}) {words}", retry_after=1.0, hint=hint)


def _health(identity: ServerIdentity) -> Mapping[str, int | str]:
    answer = local_answer(identity.socket, "/api/v1/health", ANSWER_TIMEOUT) or {}
    if not isinstance(data := answer.get("data"), dict):
        raise _silent(identity, "does not answer")
    return {**NO_HEALTH, **data}


def _is_outdated(identity: ServerIdentity, warn: Callable[[str], None]) -> bool:
    """End an idle server of another build and tell so; a busy one is left alone, if it can be understood."""
    if identity.build == build_fingerprint():
        return False
    health = _health(identity)
    if not health["active_operations"]:
        stop_server(identity)
        return True
    if health["api_version"] != API_VERSION:
        raise Conflict(
            f"the running server (process {identity.pid}) is of another build that this one cannot speak to",
            hint="wait until its operations have ended, or end them with `ktrdr server stop --force`",
        )
    warn("the running server is of another build; it is replaced when its operations have ended")
    return False


def _spawn(settings: Settings) -> tuple[int, int]:
    """Start the server, which outlives this process; return its pid and where it says that it is ready."""
    reader, writer = os.pipe()
    try:
        with room_for(settings.server_log, ROOM_TO_START), _opened_log(settings.server_log) as log:
            return _exec_server(log.fileno(), writer), reader
    except DiskFull:
        os.close(reader)
        raise
    except OSError as error:
        os.close(reader)
        what = (
            f"the embedded server cannot be started: `{error.filename or sys.executable}`: {error.strerror}"
        )
        hint = "if that cannot be mended, set KTRDR_HOME to a directory of your own"
        raise Unavailable(what, retry_after=1.0, hint=hint) from None
    finally:
        os.close(writer)


def _opened_log(path: Path) -> BinaryIO:
    """Open the log to append to it, for nobody else to read, whatever the umask says."""
    flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    log = os.fdopen(os.open(path, flags, 0o600), "ab")
    os.fchmod(log.fileno(), 0o600)
    return log


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
