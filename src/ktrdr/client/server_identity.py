"""The identity of a server: a process, the folders it serves, and where it listens.

The server writes itself down beside its data (`<state>/server.json`); commands read it there, whatever their
own surroundings say. Builds before this one wrote beside their socket: those are found as well.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ktrdr.atomic_files import write_bytes
from ktrdr.build import build_fingerprint
from ktrdr.client.database_holder import server_that_has_open
from ktrdr.errors import Conflict
from ktrdr.process_identity import PROC, is_running, start_of
from ktrdr.settings import SOCKET, Settings


@dataclass(frozen=True, slots=True)
class ServerIdentity:
    """A server as it wrote itself down; `folders` are its state, bars and models, None if nobody can tell."""

    pid: int
    started_at: str | float
    build: str
    socket: Path
    folders: tuple[str, str, str] | None

    @property
    def is_running(self) -> bool:
        """Tell whether it lives; its pid may be somebody else's by now."""
        return is_running(self.pid, self.started_at)

    def serves(self, settings: Settings) -> bool:
        """Tell whether it is the server of the state folder; yes if nobody can tell: rather none than two."""
        return self.folders is None or self.folders[0] == folders_of(settings)[0]


def folders_of(settings: Settings) -> tuple[str, str, str]:
    """Return the folders of state, bars and models, whatever links lead to them."""
    state, bars, models = map(os.path.realpath, (settings.state_dir, settings.data_dir, settings.models_dir))
    return state, bars, models


def write_identity(settings: Settings, socket: Path) -> None:
    """Say who serves the state folder and where; only the holder of its lock may."""
    note = {
        "pid": os.getpid(),
        "started_at": start_of(os.getpid()),
        "build": build_fingerprint(),
        "socket": str(socket),
        "folders": folders_of(settings),
    }
    write_bytes(settings.server_note, json.dumps(note).encode())


def read_identity(settings: Settings) -> ServerIdentity | None:
    """Return who serves this state folder, or None if nobody does or nobody wrote itself down properly."""
    return next((each for each in _told(settings) if each and each.serves(settings)), None)


def _told(settings: Settings) -> Iterator[ServerIdentity | None]:
    """Yield who can be the server, by its note; without one, of former builds, where they kept theirs."""
    yield _read(settings.server_note)
    yield from map(former_server, settings.former_runtime_dirs)
    if (holder := server_that_has_open(settings.database)) is not None:
        yield from map(former_server, _former_runtime_dirs_of(holder))


def former_server(folder: Path) -> ServerIdentity | None:
    """Return the live server of a former build that keeps lock and socket in `folder`.

    Its note does not name its folders: they are what its own surroundings make of them.
    """
    return _read(folder / "server.json", folder / SOCKET)


def refuse_other_folders(identity: ServerIdentity, settings: Settings) -> None:
    """Raise Conflict if the server of the state folder keeps bars or models elsewhere than is asked for."""
    asked = folders_of(settings)
    theirs = identity.folders or asked
    if theirs != asked:
        raise Conflict(
            f"the server of `{theirs[0]}` keeps bars and models in {_and(theirs)}, not in {_and(asked)}",
            hint="set XDG_DATA_HOME as it was when the server started, or end it with `ktrdr server stop`",
        )


def _and(folders: tuple[str, str, str]) -> str:
    return f"`{folders[1]}` and `{folders[2]}`"


def _read(path: Path, former_socket: Path | None = None) -> ServerIdentity | None:
    """Return the live process that a note names."""
    try:
        note = json.loads(path.read_bytes())
        pid = int(note["pid"])
        if former_socket:
            socket, folders = former_socket, _folders_of_process(pid)
        else:
            socket, folders = Path(note["socket"]), _three(note["folders"])
        identity = ServerIdentity(pid, note["started_at"], str(note["build"]), socket, folders)
        return identity if identity.is_running else None
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _three(folders: list[str]) -> tuple[str, str, str]:
    state, bars, models = map(str, folders)
    return state, bars, models


def _folders_of_process(pid: int) -> tuple[str, str, str] | None:
    """Return the folders that a process finds in its environment, or None if that cannot be read."""
    theirs = _settings_of(pid)
    return folders_of(theirs) if theirs else None


def _former_runtime_dirs_of(pid: int) -> tuple[Path, ...]:
    theirs = _settings_of(pid)
    return theirs.former_runtime_dirs if theirs else ()


def _settings_of(pid: int) -> Settings | None:
    """Return the settings that a process finds in its environment, or None if that cannot be read."""
    try:
        words = (PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:
        return None
    return Settings.load(dict(os.fsdecode(each).split("=", 1) for each in words if b"=" in each))
