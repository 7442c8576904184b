"""Files of bars on their way to the disk: packed, hashed and made durable while others are being read."""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import polars as pl

from ktrdr.market_data.bar_files import write_part
from ktrdr.market_data.series_meta import BarFile

AT_ONCE = 2


class PartWriter:
    """Writes the bars of one file after the other, at most two at once, so that memory holds few.

    `files` are those that are on the disk; an error of one of them is raised when the next is given or at the
    end. Made by `writing_parts`.
    """

    def __init__(self, folder: Path, timeframe: str, threads: ThreadPoolExecutor) -> None:
        self.files: dict[str, BarFile] = {}
        self._folder = folder
        self._timeframe = timeframe
        self._threads = threads
        self._pending: deque[Future[dict[str, BarFile]]] = deque()

    def write(self, bars: pl.DataFrame) -> None:
        """Take the bars of one file; waits if two are being written."""
        if len(self._pending) >= AT_ONCE:
            self.files |= self._pending.popleft().result()
        self._pending.append(self._threads.submit(write_part, self._folder, bars, self._timeframe))

    def finish(self) -> None:
        """Wait until everything that was given is on the disk."""
        while self._pending:
            self.files |= self._pending.popleft().result()


@contextmanager
def writing_parts(folder: Path, timeframe: str) -> Iterator[PartWriter]:
    """Yield a writer; afterwards all is on the disk, and whatever happened nothing is written any more."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        writer = PartWriter(folder, timeframe, threads)
        yield writer
        writer.finish()
