"""The only reader of the environment: where things are, and which server is meant."""

import hashlib
import os
import pwd
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

LONGEST_SOCKET_PATH = 100
SOCKET = "server.sock"
PREFIX = "KTRDR_"
OWN_VARIABLES = frozenset({"KTRDR_API_URL", "KTRDR_HOME", "KTRDR_TOKEN", "KTRDR_TOKEN_FILE"})
LOGIN = Path("/run/user")
TEMPORARY = Path("/tmp")  # noqa: S108  # what is put there is checked by `private_directory`


@dataclass(frozen=True, slots=True)
class Settings:
    """Where state, data, models and the running server live; `api_url` names a server of one's own.

    A state folder is what makes a server that server: its lock, its database and the note of where it listens
    lie there. `runtime_dirs` are where its socket may be, best first; `former_runtime_dirs` are where builds
    before this one kept lock, note and socket.
    `traceparent` is the trace that the caller is part of, as W3C Trace Context writes it;
    `provider_variables` are what the operator says to providers, keys among it; `token`, or what is in
    `token_file`, is what a server on a port asks for.
    """

    api_url: str | None
    state_dir: Path
    data_dir: Path
    models_dir: Path
    cache_dir: Path
    runtime_dirs: tuple[Path, ...]
    former_runtime_dirs: tuple[Path, ...]
    home: Path | None = None
    traceparent: str | None = None
    provider_variables: Mapping[str, str] = field(default_factory=dict, repr=False)
    token: str | None = field(default=None, repr=False)
    token_file: Path | None = None

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read `KTRDR_API_URL`, `KTRDR_HOME`, `KTRDR_TOKEN`, `KTRDR_TOKEN_FILE`, `TRACEPARENT`.

        Without a home the user's folders (XDG) are used. Every other variable that begins with `KTRDR_` is
        for providers.
        """
        return replace(
            cls._found(environment),
            api_url=environment.get("KTRDR_API_URL") or None,
            traceparent=environment.get("TRACEPARENT") or None,
            token=environment.get("KTRDR_TOKEN") or None,
            token_file=Path(environment["KTRDR_TOKEN_FILE"]) if environment.get("KTRDR_TOKEN_FILE") else None,
            provider_variables={
                name: value
                for name, value in environment.items()
                if name.startswith(PREFIX) and name not in OWN_VARIABLES
            },
        )

    @classmethod
    def _found(cls, environment: Mapping[str, str]) -> "Settings":
        if environment.get("KTRDR_HOME"):
            return cls._in_home(environment, Path(environment["KTRDR_HOME"]).absolute())
        state = _folder(environment, "XDG_STATE_HOME", ".local/state")
        data = _folder(environment, "XDG_DATA_HOME", ".local/share")
        cache = _folder(environment, "XDG_CACHE_HOME", ".cache")
        sessions = tuple(_session_roots(environment))
        temporary = tuple(_temporary_roots(environment))
        return cls(
            None,
            state,
            data / "bars",
            data / "models",
            cache,
            _short_enough((*sessions, *temporary), state),
            (*sessions, LOGIN / str(os.getuid()) / "ktrdr", *(each / "default" for each in temporary)),
        )

    @classmethod
    def _in_home(cls, environment: Mapping[str, str], home: Path) -> "Settings":
        state = home / "state"
        temporary = tuple(_temporary_roots(environment))
        former_name = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        return cls(
            None,
            state,
            home / "bars",
            home / "models",
            home / "cache",
            _short_enough((home / "run", *temporary), state),
            (home / "run", *(each / former_name for each in temporary)),
            home,
        )

    @property
    def runtime_dir(self) -> Path:
        """Return where the embedded server's socket is, unless that cannot be made."""
        return self.runtime_dirs[0]

    @property
    def socket_path(self) -> Path:
        """Return where the embedded server listens, unless it wrote down another place."""
        return self.runtime_dir / SOCKET

    @property
    def lock_path(self) -> Path:
        """Return the lock whose holder is the server of the state folder."""
        return self.state_dir / "server.lock"

    @property
    def server_note(self) -> Path:
        """Return where the server writes down who it is and where it listens."""
        return self.state_dir / "server.json"

    @property
    def stop_mark(self) -> Path:
        """Return what is there while the server is meant to stay stopped."""
        return self.state_dir / "server.stopped"

    @property
    def database(self) -> Path:
        """Return the file that keeps operations."""
        return self.state_dir / "operations.sqlite"

    @property
    def kept_token(self) -> Path:
        """Return where a server on a port keeps the token that it asks for."""
        return self.state_dir / "token"

    @property
    def uploads_dir(self) -> Path:
        """Return where the server keeps files that no operation has claimed yet."""
        return self.state_dir / "uploads"

    @property
    def server_log(self) -> Path:
        """Return where the embedded server writes what it does."""
        return self.state_dir / "server.log"


def _folder(environment: Mapping[str, str], name: str, usual: str) -> Path:
    """Return our folder below one that XDG names; its specification lets relative ones not count."""
    given = Path(environment.get(name) or "")
    return (given if given.is_absolute() else _user_home(environment) / usual) / "ktrdr"


def _user_home(environment: Mapping[str, str]) -> Path:
    """Return the user's own folder; `/`, where nothing can be made, if nobody knows of one."""
    given = Path(environment.get("HOME") or "")
    if given.is_absolute():
        return given
    with suppress(KeyError):
        return Path(pwd.getpwuid(os.getuid()).pw_dir)
    return Path("/")


def _session_roots(environment: Mapping[str, str]) -> Iterator[Path]:
    given = Path(environment.get("XDG_RUNTIME_DIR") or "")
    if given.is_absolute() and _is_ours(given):
        yield given / "ktrdr"


def _is_ours(folder: Path) -> bool:
    """Tell whether a folder is there, ours and closed, as XDG wants it: after `su` or a logout it is not."""
    try:
        found = folder.stat()
    except OSError:
        return False
    return stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077


def _temporary_roots(environment: Mapping[str, str]) -> Iterator[Path]:
    given = Path(environment.get("TMPDIR") or "")
    for folder in dict.fromkeys((given, TEMPORARY)):
        if folder.is_absolute() and folder.is_dir():
            yield folder / f"ktrdr-{os.getuid()}"


def _short_enough(roots: tuple[Path, ...], state: Path) -> tuple[Path, ...]:
    """Return a folder below each root, named after the state, where a socket's path is not too long."""
    name = hashlib.sha256(os.fsencode(os.path.realpath(state))).hexdigest()[:12]
    folders = (root / name for root in roots)
    return tuple(each for each in folders if len(os.fsencode(each / SOCKET)) <= LONGEST_SOCKET_PATH)
