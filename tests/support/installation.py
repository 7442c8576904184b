"""ktrdr as a user has it: a home, a command, and the processes it starts."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pexpect
import psutil

from ktrdr.cli.local_server import stop_server
from ktrdr.client.server_identity import read_identity
from ktrdr.settings import Settings
from support.processes import running

HANG_GUARD = 60.0
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Finished:
    """How a command ended and what it printed."""

    exit_code: int
    stdout: str
    stderr: str


class Installation:
    """Runs `python -m ktrdr` against a home of its own."""

    def __init__(self, home: Path, python: str = sys.executable) -> None:
        self.home = home
        self.python = python
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "KTRDR_HOME": str(home / "k"),
            "LANG": "C.UTF-8",
            "TERM": "xterm-256color",
        }
        if "PYTHONPATH" in os.environ:
            self.environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
        home.mkdir(parents=True, exist_ok=True)

    @property
    def settings(self) -> Settings:
        return Settings.load(self.environment)

    def run(self, *arguments: str, expect: int | None = 0, folder: Path = ROOT) -> Finished:
        """Run a command to its end without a terminal, in a folder."""
        done = subprocess.run(
            [self.python, "-m", "ktrdr", *arguments],
            env=self.environment,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=HANG_GUARD,
            check=False,
        )
        if expect is not None:
            assert done.returncode == expect, f"exit {done.returncode}\n{done.stdout}\n{done.stderr}"
        return Finished(done.returncode, done.stdout, done.stderr)

    def json(self, *arguments: str) -> Any:
        """Run a command with `--output json` and return what it answered."""
        return json.loads(self.run(*arguments, "--output", "json").stdout)

    def terminal(self, *arguments: str, columns: int = 110) -> pexpect.spawn:
        """Run a command in a real pseudo-terminal."""
        return pexpect.spawn(
            self.python,
            ["-m", "ktrdr", *arguments],
            env=self.environment,
            cwd=str(ROOT),
            encoding="utf-8",
            timeout=HANG_GUARD,
            dimensions=(30, columns),
        )

    def operations(self) -> list[dict[str, Any]]:
        """Return every operation the server knows, newest first."""
        listed: list[dict[str, Any]] = self.json("operations", "list")["operations"]
        return listed

    def workers(self) -> list[psutil.Process]:
        """Return the live worker processes of this home."""
        return running("ktrdr.worker", self.processes())

    def server(self) -> psutil.Process:
        """Return the live server process of this home."""
        identity = read_identity(self.settings)
        assert identity is not None, "no server is running"
        return psutil.Process(identity.pid)

    def close(self) -> None:
        """End the server this home started, and with it its workers."""
        if identity := read_identity(self.settings):
            stop_server(identity)

    def processes(self) -> Iterator[psutil.Process]:
        for process in psutil.process_iter():
            try:
                if process.environ().get("KTRDR_HOME") == self.environment["KTRDR_HOME"]:
                    yield process
            except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
                continue


def until(terminal: pexpect.spawn, text: str) -> str:
    """Wait for text on a terminal and return what came before it."""
    terminal.expect_exact(text)
    return str(terminal.before)


def ending(terminal: pexpect.spawn) -> tuple[int | None, int | None, str]:
    """Wait for the end: exit status, signal, and what was printed last."""
    terminal.expect(pexpect.EOF)
    rest = str(terminal.before)
    terminal.close()
    return terminal.exitstatus, terminal.signalstatus, rest
