"""ktrdr as a user has it, in a home that is thrown away: commands, terminals, and the server they start."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pexpect
import psutil

from ktrdr.cli.local_server import stop_server
from ktrdr.client.server_identity import read_identity
from ktrdr.settings import Settings


@dataclass(frozen=True, slots=True)
class Home:
    """Runs `python -m ktrdr` in a folder of its own."""

    folder: Path
    python: str = sys.executable
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        """Return all that a command sees: as little as possible, so that runs are alike."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "KTRDR_HOME": str(self.folder / "k"),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
            **self.variables,
        }

    @property
    def settings(self) -> Settings:
        """Return where this home keeps its things."""
        return Settings.load(self.environment)

    def run(self, *command: str, environment: Mapping[str, str] | None = None) -> str:
        """Run a command to its end and return its standard output; raises CalledProcessError."""
        done = subprocess.run(
            command,
            env=environment or self.environment,
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=True,
        )
        return done.stdout.decode()

    def ktrdr(self, *arguments: str) -> str:
        """Run a ktrdr command."""
        return self.run(self.python, "-m", "ktrdr", *arguments)

    def json(self, *arguments: str) -> Any:
        """Return what a ktrdr command answers to programs."""
        return json.loads(self.ktrdr(*arguments, "--output", "json"))

    def terminal(self, *arguments: str) -> pexpect.spawn:
        """Run a ktrdr command in a pseudo-terminal that sends without delay."""
        terminal = pexpect.spawn(
            self.python,
            ["-m", "ktrdr", *arguments],
            env=self.environment,
            cwd=str(self.folder),
            encoding="utf-8",
            timeout=60,
            dimensions=(30, 110),
        )
        terminal.delaybeforesend = None
        return terminal

    def server(self) -> psutil.Process:
        """Return this home's server."""
        identity = read_identity(self.settings)
        assert identity is not None, "no server is running"
        return psutil.Process(identity.pid)

    def worker(self) -> psutil.Process:
        """Return the only live worker of this home's server."""
        (worker,) = (each for each in self.server().children() if _is_worker(each))
        return worker


def _is_worker(process: psutil.Process) -> bool:
    return process.status() != psutil.STATUS_ZOMBIE and "ktrdr.worker" in process.cmdline()


@contextmanager
def temporary_home(
    python: str = sys.executable, variables: Mapping[str, str] | None = None
) -> Iterator[Home]:
    """Make a home, with variables of its own; afterwards its server is stopped and everything is deleted."""
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder), python, variables or {})
        try:
            yield home
        finally:
            if identity := read_identity(home.settings):
                stop_server(identity)
