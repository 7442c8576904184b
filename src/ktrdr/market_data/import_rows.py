"""From what a file has written to bars: numbers, times and symbols, and what is wrong with each row."""

from collections.abc import Iterator, Mapping

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import SCHEMA, TIMEFRAME_SECONDS
from ktrdr.market_data.csv_times import DAY, TimeReader
from ktrdr.market_data.import_offences import Fault, split_faulty
from ktrdr.market_data.import_options import LINE, SYMBOL, ImportOptions
from ktrdr.market_data.ingest import RULES
from ktrdr.strategies.strategy import SYMBOL as SYMBOL_FORM

MOST_SYMBOLS = 10_000
CODE = "code"
# a volume of zero has no sign, so that equal bars are stored as the same bytes
ONE_ZERO = pl.when(pl.col("volume") == 0).then(0.0).otherwise("volume").alias("volume")
DECIMAL_COMMA = r"^[+-]?\d+,\d+$"


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

    `smallest` is how many seconds the closest two rows of a symbol are apart, be they right or wrong.
    """

    def __init__(self, options: ImportOptions, columns: Mapping[str, str]) -> None:
        self._options = options
        self._columns = columns
        self._times = TimeReader(columns["time"], options)
        self._seconds = TIMEFRAME_SECONDS[options.timeframe]
        self.symbols = SymbolCodes(options.symbol)
        self.smallest: float | None = None
        self._last = pl.DataFrame(schema={CODE: pl.Int64, "at": pl.Datetime("us")})

    def read(self, rows: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Return the good bars and the offences of the others, one a row.

        Raises DataInvalid for a file as a whole: no zone, another timeframe.
        """
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
        return split_faulty(bars.with_columns(ONE_ZERO), faults)

    def _number(self, name: str, rows: pl.DataFrame) -> tuple[pl.Series, list[Fault]]:
        if name not in rows.columns:
            return pl.Series(name, [None], dtype=pl.Float64).new_from_index(0, rows.height), []
        written = rows[name]
        if written.dtype != pl.String:
            return written.cast(pl.Float64, strict=False).rename(name), []
        text = written.str.strip_chars()
        numbers = self._plain(text).cast(pl.Float64, strict=False)
        broken = numbers.is_null() & (text != "")
        hint = self._number_hint(text.filter(broken))
        fault = Fault(broken, "is not a number", hint, self._columns[name], text)
        return numbers.rename(name), [fault]

    def _plain(self, text: pl.Series) -> pl.Series:
        if not self._options.decimal_comma:
            return text
        plain = pl.when(~pl.col("text").str.contains(".", literal=True))
        point = pl.col("text").str.replace(",", ".", literal=True)
        return text.to_frame("text").select(plain.then(point)).to_series()

    def _number_hint(self, broken: pl.Series) -> str:
        if self._options.decimal_comma:
            return "with --decimal-comma numbers are written as 1,5 and without separators of thousands"
        has_comma = not broken.is_empty() and bool(broken.str.contains(DECIMAL_COMMA)[0])
        return "give --decimal-comma if 1,5 is one and a half" if has_comma else "nothing was written"

    def _codes(self, rows: pl.DataFrame) -> pl.Series:
        if SYMBOL not in rows.columns:
            return pl.Series([0], dtype=pl.Int64).new_from_index(0, rows.height)
        return self.symbols.number(_names(rows))

    def _unknown_symbols(self, rows: pl.DataFrame, codes: pl.Series) -> Iterator[Fault]:
        if SYMBOL in rows.columns:
            hint = "a symbol is written without spaces, as AAPL, ^GSPC or BTC/USDT"
            yield Fault(codes.is_null(), "is no symbol", hint, self._columns[SYMBOL], _names(rows))

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


def other_timeframe(seconds: float, timeframe: str) -> DataInvalid:
    """Return the error of bars whose closest two are so far apart."""
    words = f"the closest bars are {_span(seconds)} apart, which {timeframe} bars are not"
    return DataInvalid(words, hint="give the right --timeframe")


def _span(seconds: float) -> str:
    for length, unit in ((DAY, "d"), (3600, "h"), (60, "min")):
        if seconds >= length:
            return f"{seconds / length:g} {unit}"
    return f"{seconds:g} s"


def _names(rows: pl.DataFrame) -> pl.Series:
    return rows[SYMBOL].cast(pl.String).fill_null("").str.strip_chars()


def _broken_rules(bars: pl.DataFrame) -> Iterator[Fault]:
    is_whole = pl.all_horizontal(~broken for _, broken in RULES)
    if bars.select(is_whole.all()).item():
        return
    for words, broken in RULES:
        yield Fault(bars.select(broken.fill_null(False)).to_series(), words)
