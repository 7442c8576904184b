"""The quick reading of CSV: a block in which every line is plainly a row; any doubt is no answer."""

import polars as pl

from ktrdr.market_data.csv_blocks import LONGEST_LINE
from ktrdr.market_data.import_options import LINE
from ktrdr.market_data.importing.layout import RowShape


def read_plain_rows(block: bytes, number: int, shape: RowShape) -> pl.DataFrame | None:
    """Return the rows of a block whose first line is `number`: `LINE` and the wanted fields, by place.

    Those that are numbers are floats, if all of them are, else text; text is not stripped. None if a byte
    could mean anything but a row a line with that many fields.
    """
    lines = block if block.endswith(b"\n") else block + b"\n"
    rows = _count_rows(lines, shape.width, shape.separator)
    if rows is None:
        return None
    table = _parse(lines, shape)
    if table is None or table.height != rows:
        return None
    return table.with_columns(pl.int_range(number, number + rows).alias(LINE))


def _count_rows(lines: bytes, width: int, separator: str) -> int | None:
    if not _is_plain_text(lines):
        return None
    marks = separator.encode() + b"\n"
    pattern = lines.translate(None, bytes(each for each in range(256) if each not in marks))
    rows, rest = divmod(len(pattern), width)
    is_regular = not rest and pattern == (separator.encode() * (width - 1) + b"\n") * rows
    return rows if is_regular else None


def _is_plain_text(lines: bytes) -> bool:
    if b"\0" in lines or b'"' in lines or lines.startswith(b"\xef\xbb\xbf"):
        return False
    if b"\r" in lines and lines.count(b"\r") != lines.count(b"\r\n"):
        return False
    return _has_short_lines(lines) and (lines.isascii() or _is_utf8(lines))


def _has_short_lines(lines: bytes) -> bool:
    start = 0
    while start + LONGEST_LINE < len(lines):
        end = lines.rfind(b"\n", start, start + LONGEST_LINE)
        if end < 0:
            return False
        start = end + 1
    return True


def _is_utf8(lines: bytes) -> bool:
    try:
        lines.decode()
    except UnicodeDecodeError:
        return False
    return True


def _parse(lines: bytes, shape: RowShape) -> pl.DataFrame | None:
    for kind in (pl.Float64, pl.String) if shape.numbers else (pl.String,):
        try:
            table = pl.read_csv(
                lines,
                has_header=False,
                schema={
                    str(place): kind if place in shape.numbers else pl.String for place in range(shape.width)
                },
                columns=sorted(shape.places),
                separator=shape.separator,
                quote_char=None,
            )
        except pl.exceptions.PolarsError:
            continue
        return table.with_columns(pl.selectors.string().fill_null(""))
    return None
