"""The files of one model, read so that nothing in them can surprise.

Whatever was written into a model's folder, a reader gets plain values that can be sent on as JSON, or
InputInvalid: only regular files of limited size, strict JSON of limited depth, finite numbers.
"""

import json
import stat
from pathlib import Path
from typing import Any, NoReturn

from ktrdr.errors import InputInvalid

DEEPEST = 32
LARGEST_TEXT = 4 * 1024 * 1024


def read_bytes(file: Path, most: int = LARGEST_TEXT) -> bytes:
    """Return what a regular file of at most `most` bytes holds; raises InputInvalid."""
    try:
        found = file.stat()
        if not stat.S_ISREG(found.st_mode):
            raise InputInvalid(f"`{file.name}` is no file", hint="train it again")
        if found.st_size > most:
            raise InputInvalid(f"`{file.name}` is larger than {most:,} bytes", hint="train it again")
        with file.open("rb") as stream:
            return stream.read(most)
    except (OSError, ValueError) as error:
        raise InputInvalid(f"`{file.name}` cannot be read ({error})", hint="train it again") from None


def read_json(file: Path) -> dict[str, Any]:
    """Return the object that a file holds; raises InputInvalid."""
    return as_object(file.name, read_bytes(file))


def as_object(name: str, data: bytes) -> dict[str, Any]:
    """Return the object of some JSON text, which can be written as JSON again; raises InputInvalid."""
    value = as_json(name, data)
    if not isinstance(value, dict):
        raise InputInvalid(f"`{name}` is damaged", hint="train it again")
    return value


def as_json(name: str, data: bytes) -> object:
    """Return the value of some JSON text, which can be written as JSON again; raises InputInvalid."""
    try:
        value: object = json.loads(data, parse_constant=_refuse)
        _check_depth(value, DEEPEST)
        json.dumps(value, allow_nan=False, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise InputInvalid(f"`{name}` is damaged", hint="train it again") from None
    return value


def _check_depth(value: object, left: int) -> None:
    if not isinstance(value, dict | list):
        return
    if not left:
        raise ValueError(value)
    for each in value.values() if isinstance(value, dict) else value:
        _check_depth(each, left - 1)


def _refuse(word: str) -> NoReturn:
    raise ValueError(word)
