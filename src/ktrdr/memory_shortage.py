"""Memory that was not to be had: its signs in an error, in a log and in the kernel's count, and what to say.

Libraries say it in words of their own and abort; the kernel kills and counts.
"""

import re
from pathlib import Path

HINT = "free memory or raise its limit, run fewer operations at once, or ask for less (fewer bars or symbols)"
SIGNS = re.compile(
    r"MemoryError|bad_alloc|memory allocation|out of memory|cannot allocate memory|unable to allocate"
    r"|resource_exhausted|failed to map segment|can't start new thread",
    re.IGNORECASE,
)
LOG_END = 8192
ROOT = Path("/")


def is_memory_short(error: BaseException) -> bool:
    """Tell whether an error is of memory that was not there."""
    return isinstance(error, MemoryError) or SIGNS.search(f"{type(error).__name__}: {error}") is not None


def says_memory_short(log: Path, start: int) -> bool:
    """Tell whether the end of a log, written since it was `start` bytes long, has a sign of it."""
    try:
        with log.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(max(start, size - LOG_END))
            return SIGNS.search(file.read().decode(errors="replace")) is not None
    except OSError:
        return False


def oom_kills(root: Path = ROOT) -> int:
    """Return how many processes around this one the kernel has killed for memory, as far as it tells."""
    return sum(_count(each) for each in (root / "proc" / "vmstat", *_groups(root)))


def _groups(root: Path) -> list[Path]:
    """Return the files in which either version of control groups counts for this process's own."""
    try:
        lines = (root / "proc" / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return []
    mount = root / "sys" / "fs" / "cgroup"
    groups = [line.split(":", 2) for line in lines]
    return [
        mount / "memory" / path.lstrip("/") / "memory.oom_control"
        if "memory" in controllers.split(",")
        else mount / path.lstrip("/") / "memory.events"
        for _, controllers, path in groups
        if "memory" in controllers.split(",") or not controllers
    ]


def _count(path: Path) -> int:
    try:
        found = re.search(r"^oom_kill (\d+)$", path.read_text(), re.MULTILINE)
    except OSError:
        return 0
    return int(found[1]) if found else 0
