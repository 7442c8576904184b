"""Warnings that belong to no operation."""

import sys

from ktrdr.cli.retries import Pause, sleep_out
from ktrdr.cli.safe_text import safe_lines


def warn(text: str) -> None:
    """Write one warning to standard error."""
    sys.stderr.write(f"warning: {safe_lines(text)}\n")


def say_and_sleep() -> Pause:
    """Return a pause between tries that says once why nothing happens."""
    said: list[bool] = []

    async def pause(seconds: float) -> bool:
        if not said:
            said.append(True)
            warn("the server has no good answer yet, trying again")
        return await sleep_out(seconds)

    return pause
