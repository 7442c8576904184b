"""Confirmation: nothing is lost before somebody agreed, at a terminal or by an option."""

import sys

from ktrdr.errors import InputInvalid


def refuse_without_terminal(verb: str) -> None:
    """Raise InputInvalid if there is nobody to ask whether to `verb`."""
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise InputInvalid(f"there is no terminal to ask on whether to {verb}", hint="add --yes")
