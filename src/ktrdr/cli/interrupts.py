"""Signals as awaitable facts; the only file that touches the signal module.

It is imported before anything else of the command line, so it is handed its events and imports no asyncio.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from select import select
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import asyncio

SAME_PRESS_SECONDS = 0.25
STANDARD_ERROR = 2
SHELL_CODE = 128
SHOW_CURSOR = b"\x1b[?25h\n"
HEARD = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

_Handler = Callable[[int, FrameType | None], object] | int | None


class Interrupts:
    """What the user or the system asked for while an operation is attended.

    `first` is set by any of the signals: stop, or leave. `second` is set when no more waiting is wanted:
    by a hang-up, or by any signal after the first (Ctrl+C at least 250 ms later). A third Ctrl+C ends the
    process where it stands. `signum` decides the exit code.
    """

    def __init__(
        self, make_event: "Callable[[], asyncio.Event]", monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.first = make_event()
        self.second = make_event()
        self.signum: int | None = None
        self._monotonic = monotonic
        self._pressed_at: float | None = None

    @property
    def hung_up(self) -> bool:
        """Tell whether the terminal is gone."""
        return self.signum == signal.SIGHUP

    @property
    def terminated(self) -> bool:
        """Tell whether the system asked this process to end."""
        return self.signum == signal.SIGTERM

    @property
    def leaving(self) -> int | None:
        """Return the signal after which this process is to be gone, whatever is still to be said."""
        return self.signum if self.terminated or self.second.is_set() else None

    def receive(self, signum: int) -> None:
        """Take note of one signal."""
        if signum == signal.SIGINT:
            self._press()
            return
        if signum == signal.SIGHUP or self.first.is_set():
            self.second.set()
        self.signum = signum
        self.first.set()

    def _press(self) -> None:
        now = self._monotonic()
        if self._pressed_at is not None and now - self._pressed_at < SAME_PRESS_SECONDS:
            return
        if self.second.is_set():
            _leave_at_once(self.signum or signal.SIGINT)
        if self.first.is_set():
            self.second.set()
        self._pressed_at = now
        self.signum = self.signum or signal.SIGINT
        self.first.set()

    @contextmanager
    def listening(self, loop: "asyncio.AbstractEventLoop") -> Iterator[None]:
        """Hear signals through `loop`; afterwards the previous handlers are back.

        Signals that were ignored stay ignored, and off the main thread nothing is heard.
        """
        previous = _heard_before() if threading.current_thread() is threading.main_thread() else {}
        for signum in previous:
            loop.add_signal_handler(signum, self.receive, signum)
        try:
            yield
        finally:
            for signum, handler in previous.items():
                loop.remove_signal_handler(signum)
                signal.signal(signum, handler)


def let_interrupts_kill() -> None:
    """Make Ctrl+C end the process at once and in silence, unless it is ignored or handled by somebody."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def die_by_signal(signum: int) -> None:
    """End this process by the signal's default action, so that shells see what happened."""
    signal.signal(signum, signal.SIG_DFL)
    os.kill(os.getpid(), signum)


@contextmanager
def last_words(say: Callable[[int], bool]) -> Iterator[None]:
    """Let `say` hear the exit code before a signal ends the process, while nothing else listens.

    If it returns False the process is ending anyway, and is let. The next signal ends it at once, also where
    `say` cannot come to its end.
    """

    def end(signum: int, _: FrameType | None) -> None:
        for each in previous:
            signal.signal(each, signal.SIG_DFL)
        if say(SHELL_CODE + signum):
            die_by_signal(signum)

    previous = _heard_before() if threading.current_thread() is threading.main_thread() else {}
    for signum in previous:
        signal.signal(signum, end)
    try:
        yield
    finally:
        for signum, handler in previous.items():
            signal.signal(signum, handler)


def die_by_closed_pipe() -> None:
    """End this process as one whose reader went away."""
    die_by_signal(signal.SIGPIPE)


def _leave_at_once(signum: int) -> None:
    """Give a terminal that takes anything its cursor back and die, whatever is still being cleaned up."""
    _, takes, _ = select([], [STANDARD_ERROR], [], 0)
    if takes and os.isatty(STANDARD_ERROR):
        os.write(STANDARD_ERROR, SHOW_CURSOR)
    die_by_signal(signum)


def _heard_before() -> dict[signal.Signals, _Handler]:
    handlers = {signum: signal.getsignal(signum) for signum in HEARD}
    return {signum: handler for signum, handler in handlers.items() if handler is not signal.SIG_IGN}
