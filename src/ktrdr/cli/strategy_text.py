"""The text of a strategy file, read before anything is asked of it."""

from pathlib import Path

from ktrdr.errors import InputInvalid
from ktrdr.strategies.reading.located_yaml import LARGEST


def read_strategy(file: Path) -> str:
    """Return the text of a strategy file; raises InputInvalid if it cannot be read."""
    try:
        with file.open("rb") as stream:
            written = stream.read(LARGEST + 1)
        if len(written) > LARGEST:
            raise InputInvalid(f"`{file}` is larger than {LARGEST // 1024} kB", hint="is it a strategy?")
        return written.decode()
    except OSError as error:
        raise InputInvalid(
            f"cannot read `{file}`: {error.strerror}", hint="give the path of a strategy file"
        ) from None
    except UnicodeDecodeError as error:
        raise InputInvalid(f"`{file}` is not UTF-8 text (byte {error.start})") from None
