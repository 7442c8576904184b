"""The quick reading of CSV: a block in which every line is plainly a row; any doubt is no answer."""

from collections.abc import Mapping, Sequence

import polars as pl

from ktrdr.market_data.bars import PRICES
from ktrdr.market_data.csv_blocks import LONGEST_LINE
from ktrdr.market_data.import_options import LINE

NUMBERS = (*PRICES, "volume")


def read_plain_rows(
    block: bytes,
    number: int,
    header: Sequence[str],
    taken: Mapping[str, str],
    separator: str,
    *,
    decimal_comma: bool = False,
) -> pl.DataFrame | None:
    """Return the rows of a block whose first line is `number`: numbers, if all of them are, else text.

    The columns are `LINE` and the fields of `taken`; text is not stripped. None if a byte could mean anything
    but a row a line with as many fields as the header has.
    """
    lines = block if block.endswith(b"\n") else block + b"\n"
    rows = _count_rows(lines, len(header), separator)
    if rows is None:
        return None
    table = _parse(lines, header, taken, separator, decimal_comma=decimal_comma)
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


def _parse(
    lines: bytes, header: Sequence[str], taken: Mapping[str, str], separator: str, *, decimal_comma: bool
) -> pl.DataFrame | None:
    places = {name: f"column_{header.index(column) + 1}" for name, column in taken.items()}
    numbers = {place for name, place in places.items() if name in NUMBERS}
    names = [f"column_{number}" for number in range(1, len(header) + 1)]
    for kind in (pl.Float64, pl.String):
        try:
            table = pl.read_csv(
                lines,
                has_header=False,
                schema={name: kind if name in numbers else pl.String for name in names},
                columns=list(dict.fromkeys(places.values())),
                separator=separator,
                quote_char=None,
                decimal_comma=decimal_comma and kind is pl.Float64,
            )
        except pl.exceptions.PolarsError:
            continue
        fields = (pl.col(place).alias(name) for name, place in places.items())
        return table.select(fields).with_columns(pl.selectors.string().fill_null(""))
    return None
