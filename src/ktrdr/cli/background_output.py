"""Standard output and standard error, each written by a thread of its own while an operation is attended.

The rule: whoever writes hands its text over and goes on, so that signals are heard whatever the readers do.
Order is kept and nothing is dropped; what is handed over is bounded by its producers, who wait for `taken`
(`backpressure.py`) before they make more. The process waits with `drain` before it ends.
"""

import io
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import TextIO

LEAVING_SECONDS = 0.3


class BackgroundStream(io.TextIOBase):
    """Text for a stream whose reader may be slow, or may have stopped reading.

    What writing raised in the thread is raised to whoever writes next, and by `check`.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._handed_over: SimpleQueue[str | Callable[[], None] | None] = SimpleQueue()
        self._error: OSError | ValueError | None = None
        threading.Thread(target=self._work, daemon=True).start()

    @property
    def encoding(self) -> str:  # type: ignore[override]  # its setter is of no use here
        """Return the encoding of the stream behind it."""
        return self._stream.encoding

    @property
    def is_behind(self) -> bool:
        """Tell whether text waits that the reader has not taken."""
        return not self._handed_over.empty()

    def isatty(self) -> bool:
        """Tell whether a terminal reads it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of the stream behind it."""
        return self._stream.fileno()

    def write(self, text: str) -> int:
        """Hand text over; raises what became of earlier text."""
        self.check()
        self._handed_over.put(text)
        return len(text)

    def flush(self) -> None:
        """Do nothing: what is handed over is written as soon as its reader takes it."""

    def when_taken(self, tell: Callable[[], None]) -> None:
        """Have the thread call `tell` once all that was written so far is taken, or lost."""
        self._handed_over.put(tell)

    def check(self) -> None:
        """Raise what writing raised."""
        if self._error is not None:
            raise self._error

    def end(self) -> None:
        """Let the thread end once it has written what it has."""
        self._handed_over.put(None)

    def _work(self) -> None:
        while (item := self._handed_over.get()) is not None:
            if isinstance(item, str):
                self._put(item)
            else:
                item()

    def _put(self, text: str) -> None:
        if self._error is not None:
            return
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError) as error:
            self._error = error


@contextmanager
def background_output() -> Iterator[None]:
    """Write both streams in the background while the block runs; at its end wait for their readers."""
    if background_streams():
        yield
        return
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = map(BackgroundStream, before)
    streams = background_streams()
    try:
        yield
    finally:
        drain()
        sys.stdout, sys.stderr = before
        for each in streams:
            each.end()
        for each in streams:
            each.check()


def background_streams() -> list[BackgroundStream]:
    """Return those of the two streams that are written in the background now, standard error first."""
    return [each for each in (sys.stderr, sys.stdout) if isinstance(each, BackgroundStream)]


def drain(seconds: float | None = None) -> bool:
    """Wait until the readers have taken everything, at most so many seconds; tell whether they have.

    A signal handler may call it at any moment: each call waits on locks of its own.
    """
    deadline = None if seconds is None else time.monotonic() + seconds
    marks = [threading.Lock() for _ in background_streams()]
    for mark, stream in zip(marks, background_streams(), strict=True):
        mark.acquire()
        stream.when_taken(mark.release)
    return all([mark.acquire(timeout=_left(deadline)) for mark in marks])


def _left(deadline: float | None) -> float:
    return -1.0 if deadline is None else max(deadline - time.monotonic(), 0.0)
