"""Columns named on two levels, by field and by symbol, as data frames of several symbols are saved."""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from ktrdr.market_data.bars import PRICES
from ktrdr.market_data.importing.names import FIELD_NAMES, bare
from ktrdr.market_data.importing.values.cells import is_number, is_time

PAIR = re.compile(r"\('([^']*)', '([^']*)'\)")


@dataclass(frozen=True, slots=True)
class Levels:
    """The field and the symbol of every column; the first one, of times, has no symbol."""

    fields: tuple[str, ...]
    symbols: tuple[str, ...]

    def of(self, symbol: str) -> list[str | None]:
        """Return the names of the columns of one symbol and of the time, and None for those of others."""
        return [
            field if own in {"", symbol} else None
            for field, own in zip(self.fields, self.symbols, strict=True)
        ]


def find_levels(first: Sequence[str], second: Sequence[str]) -> Levels | None:
    """Return the levels of two lines, the fields on either of them; None if they are a header and a row."""
    if len(first) != len(second) or len(first) < 3:
        return None
    for fields, symbols in ((first, second), (second, first)):
        if _are_fields(fields[1:]) and _are_symbols(symbols) and _have_prices(symbols[1:]):
            return Levels(("", *fields[1:]), ("", *symbols[1:]))
    return None


def find_pairs(names: Sequence[str]) -> Levels | None:
    """Return the levels of names such as `('Close', 'AAPL')`, which Parquet files of data frames have."""
    found = [PAIR.fullmatch(name) for name in names]
    if not any(found):
        return None
    pairs = [each.groups() if each else (name, "") for each, name in zip(found, names, strict=True)]
    first, second = ([pair[level] for pair in pairs] for level in (0, 1))
    named = [place for place, each in enumerate(found) if each]
    is_field_first = _are_fields([first[place] for place in named])
    fields = first if is_field_first else [second[place] or first[place] for place in range(len(names))]
    symbols = (
        second if is_field_first else [first[place] if found[place] else "" for place in range(len(names))]
    )
    return Levels(tuple(fields), tuple(symbols))


def is_label(cells: Sequence[str]) -> bool:
    """Tell whether a line has nothing but the name of the index."""
    return bool(cells) and not any(cell.strip() for cell in cells[1:]) and not is_time(cells[0])


def _are_fields(cells: Sequence[str]) -> bool:
    return len(cells) > 3 and all(bare(cell) in FIELD_NAMES for cell in cells)


def _have_prices(symbols: Sequence[str]) -> bool:
    """Tell whether each symbol has enough columns; units, as `USD` and `shares`, have not."""
    return min(Counter(symbols).values()) >= len(PRICES)


def _are_symbols(cells: Sequence[str]) -> bool:
    return not is_time(cells[0]) and all(cell.strip() and not is_number(cell) for cell in cells[1:])
