"""How much an operations file should hold, written beside it after each commit.

SQLite takes a file whose write-ahead log was lost for an older one and an empty file for a new one, without a
word. The tally never promises more than what was committed, so a file that holds less has lost something.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

LINE_LENGTH = 64


@dataclass(frozen=True, slots=True)
class Tally:
    """How many operations are stored, and how often they were written in all."""

    operations: int = 0
    writes: int = 0

    def lacks(self, found: "Tally") -> str:
        """Return what is missing where this was expected and `found` is there, or nothing."""
        pairs = (
            ("operations", self.operations, found.operations),
            ("changes", self.writes, found.writes),
        )
        return " and ".join(f"{all_ - has} of {all_} {what}" for what, all_, has in pairs if has < all_)


class TallyFile:
    """Keeps a tally in one line of fixed length, so that keeping it needs no more room on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)

    def read(self) -> Tally:
        """Return what is expected; nothing where nothing, or nothing that can be read, was written."""
        words = os.pread(self._descriptor, LINE_LENGTH, 0).split()
        numbers = [int(word) for word in words[1::2] if word.isdigit()]
        return Tally(*numbers) if len(numbers) == len(words) / 2 == 2 else Tally()

    def write(self, tally: Tally) -> None:
        """Keep a tally; one that cannot be kept leaves an older one, which promises less."""
        line = f"operations {tally.operations} changes {tally.writes}".ljust(LINE_LENGTH - 1) + "\n"
        with suppress(OSError):
            os.pwrite(self._descriptor, line.encode(), 0)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)
