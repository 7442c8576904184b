"""From what a file has written to bars: numbers, times and symbols, and what is wrong with each row."""

from collections.abc import Iterator

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import PRICES, SCHEMA, TIMEFRAME_SECONDS
from ktrdr.market_data.csv_times import TimeReader
from ktrdr.market_data.import_offences import ALL_OR_NONE, Fault, split_faulty
from ktrdr.market_data.import_options import LINE, SYMBOL, ImportOptions
from ktrdr.market_data.importing.layout import Layout
from ktrdr.market_data.importing.spacing import other_timeframe
from ktrdr.market_data.importing.values.numbers import PLAIN, is_like_number, is_no_number
from ktrdr.market_data.importing.writing import Undecided, Writing
from ktrdr.market_data.ingest import RULES
from ktrdr.strategies.strategy import SYMBOL as SYMBOL_FORM

MOST_SYMBOLS = 10_000
CODE = "code"
# a volume of zero has no sign, so that equal bars are stored as the same bytes
ONE_ZERO = pl.when(pl.col("volume") == 0).then(0.0).otherwise("volume").alias("volume")
UNKNOWN = -1.0


class SymbolCodes:
    """Numbers the symbols of a file in the order in which they appear."""

    def __init__(self, first: str = "") -> None:
        self._codes = {first: 0} if first else {}

    @property
    def names(self) -> tuple[str, ...]:
        """Return the symbols; the place of each is its number."""
        return tuple(self._codes)

    def number(self, names: pl.Series) -> pl.Series:
        """Return the number of each name [n], null for what is no symbol; raises DataInvalid for too many."""
        for name in names.unique(maintain_order=True):
            if name not in self._codes and SYMBOL_FORM.fullmatch(name):
                self._codes[name] = len(self._codes)
        if len(self._codes) > MOST_SYMBOLS:
            raise DataInvalid(
                f"there are more than {MOST_SYMBOLS:,} symbols", hint="is it the right --symbol-column?"
            )
        return names.replace_strict(self._codes, default=None, return_dtype=pl.Int64)


class RowReader:
    """Turns written rows into bars with `LINE` and the number of their symbol.

    `smallest` is how many seconds the closest two rows of a symbol are apart, be they right or wrong;
    `without_price` counts rows that are no bar, as nothing was traded, `unknown_volumes` bars without one.
    """

    def __init__(self, options: ImportOptions, layout: Layout, writing: Writing) -> None:
        self._options = options
        self._columns = layout.columns
        self._numbers = writing.numbers
        self._times = TimeReader(
            self._columns["time"], options, layout.zone, is_day_first=writing.is_day_first
        )
        self._seconds = TIMEFRAME_SECONDS[options.timeframe]
        self.symbols = SymbolCodes(options.symbol)
        self.smallest: float | None = None
        self.without_price = 0
        self.unknown_volumes = 0
        self._last = pl.DataFrame(schema={CODE: pl.Int64, "at": pl.Datetime("us")})

    def read(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the good bars and the offences of the others, one a row.

        Raises DataInvalid for a file as a whole: no zone, another timeframe. Raises Undecided for one whose
        numbers or days could be meant in two ways.
        """
        rows = self._priced(rows)
        numbers = {name: self._number(name, rows) for name in SCHEMA if name != "time"}
        times = self._times.read(rows["time"])
        codes = self._codes(rows)
        bars = pl.DataFrame(
            [
                rows[LINE],
                codes.rename(CODE),
                times.times.rename("time"),
                *(each for each, _ in numbers.values()),
            ]
        )
        faults = [fault for _, found in numbers.values() for fault in found]
        faults += [*times.faults, *self._unknown_symbols(rows, codes), *_broken_rules(bars)]
        self._refuse_shorter_timeframe(codes, times.moments)
        good, wrong = split_faulty(bars.with_columns(ONE_ZERO), faults)
        self.unknown_volumes += good["volume"].null_count()
        return good, wrong

    def _priced(self, rows: pl.DataFrame) -> pl.DataFrame:
        """Return the rows that have a price."""
        nothing = rows[PRICES[0]]
        if not _is_nothing(nothing).any():
            return rows
        has_price = ~pl.select(pl.all_horizontal(_is_nothing(rows[name]) for name in PRICES)).to_series()
        self.without_price += rows.height - int(has_price.sum())
        return rows.filter(has_price)

    def _number(self, name: str, rows: pl.DataFrame) -> tuple[pl.Series, list[Fault]]:
        if name not in rows.columns:
            return pl.Series(name, [None], dtype=pl.Float64).new_from_index(0, rows.height), []
        written = rows[name]
        if written.dtype != pl.String:
            return _known(name, written.cast(pl.Float64, strict=False)), []
        text = written.str.strip_chars()
        numbers = self._read_numbers(name, text)
        broken = numbers.is_null() & (text != "")
        if name == "volume":
            broken &= ~is_no_number(text)
        fault = Fault(broken, "is not a number", self._hint, self._columns[name], text)
        return _known(name, numbers), [fault]

    def _read_numbers(self, name: str, text: pl.Series) -> pl.Series:
        """Return the numbers of a column, null for what is none; raises Undecided if nobody knows how."""
        units = name == "volume"
        if self._numbers is not None and self._numbers != PLAIN:
            return self._numbers.read(text, units=units)
        plain = text.cast(pl.Float64, strict=False)
        if (
            plain.null_count() == 0
            or not (doubtful := plain.is_null() & is_like_number(text, units=units)).any()
        ):
            return plain
        if self._numbers is None:
            raise Undecided
        return plain.zip_with(~doubtful, self._numbers.read(text, units=units))

    def finish(self) -> None:
        """Raise DataInvalid for what only the whole file tells: days that cannot be known."""
        self._times.finish()

    @property
    def moved(self) -> int:
        """Return how many weekly bars were dated on another day than the Monday of their week."""
        return self._times.days.moved

    @property
    def _hint(self) -> str:
        if self._numbers is None:
            return ALL_OR_NONE
        decimal, thousands = self._numbers.decimal, self._numbers.thousands
        return f"in this file numbers are written as 1{thousands}234{decimal}5"

    def _codes(self, rows: pl.DataFrame) -> pl.Series:
        if SYMBOL not in rows.columns and not self._options.symbol:
            words = "the file does not say what its bars are of"
            raise DataInvalid(words, hint="give the symbol after the file, as in `data import FILE AAPL`")
        if SYMBOL not in rows.columns:
            return pl.Series([0], dtype=pl.Int64).new_from_index(0, rows.height)
        return self.symbols.number(_names(rows))

    def _unknown_symbols(self, rows: pl.DataFrame, codes: pl.Series) -> Iterator[Fault]:
        if SYMBOL in rows.columns:
            hint = "a symbol is written without spaces, as AAPL, ^GSPC or BTC/USDT"
            yield Fault(
                codes.is_null(), "is no symbol", hint, self._columns.get(SYMBOL, SYMBOL), _names(rows)
            )

    def _refuse_shorter_timeframe(self, codes: pl.Series, moments: pl.Series) -> None:
        at = moments.dt.replace_time_zone(None)
        known = pl.concat([self._last, pl.DataFrame({CODE: codes, "at": at})])
        self._last = known.tail(1)
        smallest = smallest_gap(known[CODE], known["at"])
        if smallest is not None and smallest < 0.5 * self._seconds:
            raise other_timeframe(smallest, self._options.timeframe)
        self.smallest = min((each for each in (smallest, self.smallest) if each is not None), default=None)


def smallest_gap(codes: pl.Series, moments: pl.Series) -> float | None:
    """Return the seconds between the closest two moments [n] of one symbol [n]; None without two."""
    steps = moments.diff()
    if codes.n_unique() > 1 or not (steps.dt.total_microseconds() > 0).all():
        known = pl.DataFrame([codes.alias(CODE), moments.alias("at")]).drop_nulls().unique().sort(CODE, "at")
        steps = known.select(pl.col("at").diff().over(CODE)).to_series()
    smallest = steps.dt.total_microseconds().min()
    return smallest / 1e6 if isinstance(smallest, int) else None


def _known(name: str, numbers: pl.Series) -> pl.Series:
    """Return numbers, of which a volume of -1 or none is unknown."""
    if name != "volume":
        return numbers.rename(name)
    volume = pl.col(name)
    is_unknown = volume.is_nan() | (volume == UNKNOWN)
    return numbers.rename(name).to_frame().select(pl.when(~is_unknown).then(volume)).to_series()


def _is_nothing(column: pl.Series) -> pl.Series:
    """Return which prices [n] are none: no number, or no text that could be one."""
    if column.dtype == pl.String:
        return is_no_number(column.str.strip_chars())
    return column.is_null() | column.is_nan() if column.dtype.is_float() else column.is_null()


def _names(rows: pl.DataFrame) -> pl.Series:
    return rows[SYMBOL].cast(pl.String).fill_null("").str.strip_chars()


def _broken_rules(bars: pl.DataFrame) -> Iterator[Fault]:
    is_whole = pl.all_horizontal(~broken for _, broken in RULES)
    if bars.select(is_whole.all()).item():
        return
    for words, broken in RULES:
        yield Fault(bars.select(broken.fill_null(False)).to_series(), words)
