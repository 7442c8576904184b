"""How the command line is entered and left."""

import os
import sys
from contextlib import suppress

from ktrdr.cli.interrupts import let_interrupts_kill
from ktrdr.lazy import resolve


def main() -> None:
    """Run the command line; until an operation listens to signals, Ctrl+C ends it at once and in silence."""
    let_interrupts_kill()
    try:
        resolve("ktrdr.cli.app:main")()
    except SystemExit as ending:
        if not isinstance(ending.code, int | None):
            raise
        _leave(ending.code or 0)


def _leave(code: int) -> None:
    """End now: everything is written, and taking the interpreter apart would cost 50 ms."""
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
    os._exit(code)
