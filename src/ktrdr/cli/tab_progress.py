"""Progress in the tab or the task bar of terminals that know OSC 9;4.

Source: https://conemu.github.io/en/AnsiEscapeCodes.html#ConEmu_specific_OSC
"""

import os
from collections.abc import Mapping
from typing import IO

KNOWING = frozenset({"ghostty", "WezTerm"})
FIRST_KNOWING_VTE = 8000
HIDDEN, SHOWN, UNKNOWN = 0, 1, 3


def knows_tab_progress(environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether the terminal has said that it draws progress; inside a multiplexer it cannot be known."""
    if "TMUX" in environment or "STY" in environment:
        return False
    version = environment.get("VTE_VERSION", "")
    return (
        "WT_SESSION" in environment
        or environment.get("ConEmuANSI") == "ON"
        or environment.get("TERM_PROGRAM") in KNOWING
        or (version.isdecimal() and int(version) >= FIRST_KNOWING_VTE)
    )


class TabProgress:
    """Writes percentages to a terminal that knows what they mean, each once; `clear` takes them away."""

    def __init__(self, file: IO[str], is_known: bool) -> None:
        self._file = file
        self._is_known = is_known
        self._written = (HIDDEN, 0)

    def show(self, percentage: float) -> None:
        """Show a percentage; at 0 only that something is going on."""
        self._write(SHOWN if percentage > 0 else UNKNOWN, int(percentage))

    def clear(self) -> None:
        """Show nothing any more."""
        self._write(HIDDEN, 0)

    def _write(self, state: int, percentage: int) -> None:
        if self._is_known and self._written != (state, percentage):
            self._written = (state, percentage)
            self._file.write(f"\x1b]9;4;{state};{percentage}\x1b\\")
            self._file.flush()
