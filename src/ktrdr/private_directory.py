"""Directories that nobody else can enter, checked before anything in them is trusted."""

import os
import stat
from contextlib import suppress
from pathlib import Path

from ktrdr.errors import InputInvalid


def private_directory(path: Path) -> None:
    """Create a directory that only its owner can enter; raises InputInvalid if it cannot be or is not."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            path.mkdir(mode=0o700)
    except OSError as error:
        raise InputInvalid(
            f"the directory `{path}` cannot be made: {error.strerror}",
            hint="set KTRDR_HOME to a directory of your own",
        ) from None
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise InputInvalid(
            f"the runtime directory `{path}` is not private to you",
            hint="remove it, or set KTRDR_HOME to a directory of your own",
        )
