"""The operations that were started from here, written down before the first byte is sent."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ktrdr.atomic_files import write_bytes
from ktrdr.clock import Clock, SystemClock
from ktrdr.errors import InputInvalid
from ktrdr.private_directory import tightened_directory

MOST_BYTES = 256 * 1024
KEPT = 200


@dataclass(frozen=True, slots=True)
class Start:
    """One start: at which server, and whether its answer came."""

    operation_id: str
    server: str
    pid: int
    settled: bool = False
    exists: bool = True


class Journal:
    """A private file with a line before each start and one when its answer came; no secrets, no requests."""

    def __init__(self, path: Path, clock: Clock | None = None) -> None:
        self._path = path
        self._clock = clock or SystemClock()

    def begin(self, operation_id: str, server: str) -> None:
        """Write durably that a start is about to be sent; a journal that cannot be written stops nothing."""
        at = self._clock.now().isoformat()
        self._append({"op": operation_id, "server": server, "pid": os.getpid(), "at": at})

    def settle(self, operation_id: str, *, exists: bool) -> None:
        """Write that it is known what became of the start, and whether there is such an operation."""
        self._append({"op": operation_id, "settled": True, "exists": exists})

    def started(self, server: str) -> list[str]:
        """Return what was started at a server from here, newest first, but for what never came to be."""
        return [
            each.operation_id for each in reversed(self._starts()) if each.server == server and each.exists
        ]

    def unsettled(self, server: str) -> list[str]:
        """Return what was started at a server by commands that were cut off, oldest first."""
        return [
            each.operation_id
            for each in self._starts()
            if each.server == server and not each.settled and not _is_alive(each.pid)
        ]

    def _starts(self) -> list[Start]:
        starts: dict[str, Start] = {}
        for line in self._lines():
            operation_id, server, pid = line.get("op"), line.get("server"), line.get("pid")
            if isinstance(operation_id, str) and isinstance(server, str) and isinstance(pid, int):
                starts[operation_id] = Start(operation_id, server, pid)
            elif isinstance(operation_id, str) and operation_id in starts:
                exists = line.get("exists") is not False
                starts[operation_id] = replace(starts[operation_id], settled=True, exists=exists)
        return list(starts.values())

    def _lines(self) -> Iterator[dict[str, object]]:
        try:
            text = self._path.read_text(errors="replace")
        except OSError:
            return
        for line in text.splitlines():
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, dict):
                yield found

    def _append(self, entry: dict[str, object]) -> None:
        try:
            tightened_directory(self._path.parent)
            self._shorten()
            flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            descriptor = os.open(self._path, flags, 0o600)
            try:
                os.write(descriptor, b"\n" + json.dumps(entry).encode() + b"\n")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
        except (OSError, InputInvalid):
            return

    def _shorten(self) -> None:
        if self._path.exists() and self._path.stat().st_size > MOST_BYTES:
            lines = self._path.read_bytes().splitlines(keepends=True)[-KEPT:]
            write_bytes(self._path, b"".join(lines))


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return True
