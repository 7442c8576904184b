"""Lines of a table as wide as they need to be: a name or a figure cut short is none."""

from collections.abc import Iterable, Sequence, Set

from rich.cells import cell_len

from ktrdr.cli.safe_text import safe


def aligned(header: Sequence[str], rows: Iterable[Sequence[str]], right: Set[str]) -> list[str]:
    """Return a header and a line a row, two spaces apart; the columns in `right` end together."""
    lines = [tuple(header), *(tuple(map(safe, row)) for row in rows)]
    widths = [max(map(cell_len, column)) for column in zip(*lines, strict=True)]
    return [
        "  ".join(_padded(*each, right) for each in zip(row, widths, header, strict=True)).rstrip()
        for row in lines
    ]


def _padded(cell: str, width: int, column: str, right: Set[str]) -> str:
    space = " " * (width - cell_len(cell))
    return space + cell if column in right else cell + space
