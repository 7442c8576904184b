"""Warnings that belong to no operation."""

import sys

from ktrdr.cli.safe_text import safe_lines


def warn(text: str) -> None:
    """Write one warning to standard error."""
    sys.stderr.write(f"warning: {safe_lines(text)}\n")
