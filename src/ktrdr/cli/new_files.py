"""Files that a command writes for its user: whole or not at all, and never over another one unasked."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ktrdr.atomic_files import sync_directory
from ktrdr.errors import InputInvalid

AS_THE_USER_WANTS = 0o666  # less what the user's umask takes away


def refuse_existing(file: Path, *, force: bool) -> None:
    """Raise InputInvalid if `file` is there and may not be replaced, or has no directory to be in."""
    if file.exists() and not file.is_file():
        raise InputInvalid(f"`{file}` is no file", hint="give the path of a file")
    if file.exists() and not force:
        raise InputInvalid(f"`{file}` exists already", hint="add --force to replace it")
    if not file.parent.is_dir():
        raise InputInvalid(f"there is no directory `{file.parent}`", hint="make it first")


@contextmanager
def new_file(file: Path, *, force: bool) -> Iterator[BinaryIO]:
    """Yield a file beside `file` that takes its place, durably, when all went well, and else is gone.

    Raises InputInvalid if the directory cannot be written, or the file is there by then after all.
    """
    beside = file.with_name(f".{file.name}.{secrets.token_hex(4)}")
    try:
        with _opened(beside, file) as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        refuse_existing(file, force=force)
        beside.replace(file)
    finally:
        beside.unlink(missing_ok=True)
    sync_directory(file.parent)


def _opened(beside: Path, file: Path) -> BinaryIO:
    try:
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, AS_THE_USER_WANTS)
    except OSError as error:
        raise InputInvalid(
            f"cannot write `{file}`: {error.strerror}", hint="choose another directory"
        ) from None
    return os.fdopen(descriptor, "wb")
