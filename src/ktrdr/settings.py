"""The only reader of the environment: where things are, and which server is meant."""

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import platformdirs

LONGEST_SOCKET_PATH = 100
PREFIX = "KTRDR_"
OWN_VARIABLES = frozenset({"KTRDR_API_URL", "KTRDR_HOME"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Where state, data, models and the running server live; `api_url` names a server of one's own.

    `traceparent` is the trace that the caller is part of, as W3C Trace Context writes it;
    `provider_variables` are what the operator says to providers of bars, keys among it.
    """

    api_url: str | None
    state_dir: Path
    data_dir: Path
    models_dir: Path
    cache_dir: Path
    runtime_dir: Path
    traceparent: str | None = None
    provider_variables: Mapping[str, str] = field(default_factory=dict, repr=False)

    @classmethod
    def load(cls, environment: Mapping[str, str] = os.environ) -> "Settings":
        """Read `KTRDR_API_URL`, `KTRDR_HOME`, `TRACEPARENT`; else the platform's folders are used.

        Every other variable that begins with `KTRDR_` is for providers.
        """
        return replace(
            cls._found(environment),
            traceparent=environment.get("TRACEPARENT") or None,
            provider_variables={
                name: value
                for name, value in environment.items()
                if name.startswith(PREFIX) and name not in OWN_VARIABLES
            },
        )

    @classmethod
    def _found(cls, environment: Mapping[str, str]) -> "Settings":
        url = environment.get("KTRDR_API_URL") or None
        home = environment.get("KTRDR_HOME")
        if home:
            return cls._in_home(url, Path(home).absolute())
        return cls(
            url,
            platformdirs.user_state_path("ktrdr"),
            platformdirs.user_data_path("ktrdr") / "bars",
            platformdirs.user_data_path("ktrdr") / "models",
            platformdirs.user_cache_path("ktrdr"),
            _runtime_dir(environment),
        )

    @classmethod
    def _in_home(cls, url: str | None, home: Path) -> "Settings":
        runtime = home / "run"
        if len(os.fsencode(runtime / "server.sock")) > LONGEST_SOCKET_PATH:
            runtime = _private_temporary(hashlib.sha256(os.fsencode(home)).hexdigest()[:16])
        return cls(url, home / "state", home / "bars", home / "models", home / "cache", runtime)

    @property
    def socket_path(self) -> Path:
        """Return where the embedded server listens."""
        return self.runtime_dir / "server.sock"

    @property
    def uploads_dir(self) -> Path:
        """Return where the server keeps files that no operation has claimed yet."""
        return self.state_dir / "uploads"

    @property
    def server_log(self) -> Path:
        """Return where the embedded server writes what it does."""
        return self.state_dir / "server.log"


def _runtime_dir(environment: Mapping[str, str]) -> Path:
    given = environment.get("XDG_RUNTIME_DIR")
    if given and len(os.fsencode(Path(given) / "ktrdr" / "server.sock")) <= LONGEST_SOCKET_PATH:
        return Path(given) / "ktrdr"
    return _private_temporary("default")


def _private_temporary(name: str) -> Path:
    return Path(tempfile.gettempdir()) / f"ktrdr-{os.getuid()}" / name
