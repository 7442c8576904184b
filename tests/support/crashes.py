"""A process that dies at its n-th touch of the file system, played within this one.

Python tells an audit hook of every file it opens, renames or removes. From the chosen touch on, every one of
them fails: whatever a dying process would not have done, clean-up included, is not done here either.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

TOUCHES = frozenset({"open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.link"})


class Crash(BaseException):
    """The process is gone."""


@dataclass
class _Countdown:
    left: int | None = None
    on_open: Callable[[str], None] | None = None


_countdown = _Countdown()


def _watch(event: str, arguments: tuple[object, ...]) -> None:
    if event == "open" and _countdown.on_open and isinstance(arguments[0], str):
        look, _countdown.on_open = _countdown.on_open, None  # what it opens itself is not looked at
        look(arguments[0])
        _countdown.on_open = look
    if _countdown.left is None or event not in TOUCHES:
        return
    _countdown.left -= 1
    if _countdown.left < 0:
        raise Crash(event)


sys.addaudithook(_watch)


@contextmanager
def crashing_at(touch: int) -> Iterator[list[bool]]:
    """Let the process die at its so many'th touch from 0; the list says whether it came so far."""
    crashed: list[bool] = []
    _countdown.left = touch
    try:
        yield crashed
    except Crash:
        crashed.append(True)
    finally:
        _countdown.left = None


@contextmanager
def looking_at_each_open(look: Callable[[str], None]) -> Iterator[None]:
    """Call `look(path)` before any file is opened."""
    _countdown.on_open = look
    try:
        yield
    finally:
        _countdown.on_open = None
