"""Standard streams that were closed before the start (`>&-`) become ones that can be spoken of."""

import os
import sys
from typing import TextIO


def open_closed_streams() -> None:
    """Put something on descriptors 0 to 2, so that no file or socket is ever taken for one of them.

    Standard output cannot be written then, which is told as such; what is said on standard error is dropped.
    """
    sys.stdin = sys.stdin or _opened(0, os.O_RDONLY)
    sys.stdout = sys.stdout or _opened(1, os.O_RDONLY)
    sys.stderr = sys.stderr or _opened(2, os.O_WRONLY)


def _opened(descriptor: int, flags: int) -> TextIO:
    os.dup2(os.open(os.devnull, flags), descriptor)
    return os.fdopen(descriptor, "w" if descriptor else "r", closefd=False)
