"""What a server says to the command that started it, over a pipe that needs no disk: ready, or why not."""

import json
import os
from select import select

from ktrdr.errors import DiskFull, KtrdrError, StoreDamaged, Unavailable

READY = b"ready\n"
LONGEST = 4096
TOLD_AS = {each.code: each for each in (DiskFull, StoreDamaged, Unavailable)}


def first_words(descriptor: int, seconds: float) -> bytes:
    """Return what a server says first: that it is ready, or why not; nothing if it ends or is slow."""
    with os.fdopen(descriptor, "rb", buffering=0) as pipe:
        readable, _, _ = select([pipe], [], [], max(seconds, 0.0))
        return pipe.read(LONGEST) if readable else b""


def refusal_line(error: KtrdrError) -> bytes:
    """Return the line in which a server says why it cannot serve."""
    words = {"code": error.code, "message": error.message, "hint": error.hint}
    return json.dumps(words).encode()[: LONGEST - 1] + b"\n"


def refusal_of(line: bytes) -> KtrdrError | None:
    """Return the error that a server said, if it is one that needs no log to be understood."""
    try:
        words = json.loads(line)
        told_as = TOLD_AS[words["code"]]
        return told_as(str(words["message"]), hint=words["hint"], retry_after=1.0)
    except (ValueError, LookupError, TypeError):
        return None
