"""From which places of a row the bars are read: of one symbol, or of several side by side."""

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.import_options import LINE, SYMBOL, ImportOptions
from ktrdr.market_data.importing.columns import Columns, Places, assign_columns, joined_names
from ktrdr.market_data.importing.levels import Levels
from ktrdr.market_data.importing.names import SYMBOLS, ZONES, bare


@dataclass(frozen=True, slots=True)
class RowShape:
    """How many fields a row has, what separates them, which are wanted, and which are numbers."""

    width: int
    separator: str
    places: frozenset[int]
    numbers: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Layout:
    """The names of all columns, and for each symbol that has columns of its own the places of its fields.

    A file without such columns has one entry, whose symbol is empty.
    """

    names: tuple[str, ...]
    series: tuple[tuple[str, Places], ...]

    @property
    def columns(self) -> dict[str, str]:
        """Return from which column each field is read, as it is named."""
        _, places = self.series[0]
        return {field: joined_names(found, self.names) for field, found in places.items()}

    @property
    def ignored(self) -> tuple[str, ...]:
        """Return the names of the columns that nothing is read from."""
        used = self.places
        return tuple(
            dict.fromkeys(name for place, name in enumerate(self.names) if place not in used and name)
        )

    @property
    def unread_symbols(self) -> str | None:
        """Return the name of a column that names symbols, if it is not read."""
        return next((name for name in self.ignored if bare(name) in SYMBOLS), None)

    @property
    def places(self) -> frozenset[int]:
        """Return every place that something is read from."""
        return frozenset(place for _, fields in self.series for found in fields.values() for place in found)

    @property
    def numbers(self) -> frozenset[int]:
        """Return the places of prices and volumes."""
        return frozenset(
            place
            for _, fields in self.series
            for field, found in fields.items()
            if field not in {"time", SYMBOL}
            for place in found
        )

    @property
    def zone(self) -> str | None:
        """Return the zone that the name of the time's column says."""
        return ZONES.get(bare(self.columns["time"]))

    def arranged(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return `LINE` and the fields of rows whose columns are named by place; a row may be several."""
        if len(self.series) == 1 and not self.series[0][0]:
            return rows.select(LINE, *_fields(self.series[0][1]))
        return pl.concat(
            rows.select(LINE, pl.lit(symbol).alias(SYMBOL), *_fields(fields))
            for symbol, fields in self.series
        )


def flat_layout(columns: Columns, options: ImportOptions) -> Layout:
    """Return the layout of a file with one row of names, or none."""
    return Layout(tuple(name or "" for name in columns.names), (("", assign_columns(columns, options)),))


def levelled_layout(levels: Levels, row: Sequence[str], options: ImportOptions, where: str = "") -> Layout:
    """Return the layout of a file whose columns are named by field and symbol.

    Raises DataInvalid if it has several symbols and one is given.
    """
    symbols = tuple(dict.fromkeys(symbol for symbol in levels.symbols if symbol))
    if options.symbol and len(symbols) > 1:
        words = f"{where}the file names its symbols itself: {', '.join(f'`{each}`' for each in symbols[:5])}"
        raise DataInvalid(words, hint=f"leave `{options.symbol}` out; all of them are imported")
    if len(symbols) == 1:
        fields = assign_columns(Columns(levels.fields, row, where), options)
        return Layout(tuple(levels.fields), (("" if options.symbol else symbols[0], fields),))
    series = tuple(
        (symbol, assign_columns(Columns(levels.of(symbol), row, where), options)) for symbol in symbols
    )
    return Layout(tuple(levels.fields), series)


def _fields(places: Places) -> list[pl.Expr]:
    return [_joined(found).alias(field) for field, found in places.items()]


def _joined(places: Sequence[int]) -> pl.Expr:
    columns = [pl.col(str(place)) for place in places]
    return columns[0] if len(columns) == 1 else pl.concat_str(columns, separator=" ")
