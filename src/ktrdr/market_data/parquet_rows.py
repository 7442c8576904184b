"""The rows of a Parquet file of any size, a slice at a time; only columns that are needed are read."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.import_offences import offences
from ktrdr.market_data.import_options import (
    LINE,
    SYMBOL,
    ImportOptions,
    refuse_too_many_columns,
)
from ktrdr.market_data.import_source import RowSource, WrittenRows
from ktrdr.market_data.importing.columns import Columns
from ktrdr.market_data.importing.layout import flat_layout, levelled_layout
from ktrdr.market_data.importing.levels import find_pairs

MAGIC = b"PAR1"
MOST_ROWS = 10**9
DAMAGED = (pl.exceptions.PolarsError, pl.exceptions.PanicException, OSError, ValueError, OverflowError)

Answer = TypeVar("Answer")


class ParquetRows(RowSource):
    """Reads only what its schema allows; rows are counted from 1."""

    noun = "row"
    nothing = "there is no bar in it"

    def __init__(self, path: Path, options: ImportOptions, rows: int, most_rows: int = MOST_ROWS) -> None:
        self._path = path
        self._slice = rows
        schema = _asked(lambda: pl.read_parquet_schema(path))
        refuse_too_many_columns(len(schema))
        _refuse_options_of_text(options)
        names = tuple(schema)
        pairs = find_pairs(names)
        self.layout = (
            flat_layout(Columns(names), options) if pairs is None else levelled_layout(pairs, (), options)
        )
        self._names = names
        for _, fields in self.layout.series:
            for field, places in fields.items():
                for place in places:
                    _refuse_type(field, names[place], schema[names[place]])
        self._rows = int(_asked(lambda: self._scan().select(pl.len()).collect().item()))
        if self._rows > most_rows:
            raise DataInvalid(
                f"it claims to have {self._rows:,} rows", hint=f"at most {most_rows:,} are read"
            )
        if not self._rows:
            raise DataInvalid(self.nothing, hint="nothing was written")

    def chunks(self) -> Iterator[WrittenRows]:
        """Yield slices of rows; raises DataInvalid if the file is damaged."""
        chosen = self._scan().select(
            pl.col(self._names[place]).alias(str(place)) for place in sorted(self.layout.places)
        )
        for begin in range(0, self._rows, self._slice):
            wanted = min(self._slice, self._rows - begin)
            # mypy cannot tell the type of a lambda with a default
            table = _asked(lambda start=begin: chosen.slice(start, self._slice).collect(engine="streaming"))  # type: ignore[misc]
            if table.height != wanted:
                raise _damaged(f"{table.height:,} of {wanted:,} rows are there")
            lined = table.with_columns(pl.int_range(begin + 1, begin + 1 + wanted).alias(LINE))
            yield WrittenRows(self.layout.arranged(lined), offences([], []), (begin + wanted) / self._rows)

    def close(self) -> None:
        """Every slice opens and closes the file by itself."""

    def _scan(self) -> pl.LazyFrame:
        return pl.scan_parquet(self._path, glob=False, hive_partitioning=False)


def _asked(question: Callable[[], Answer]) -> Answer:
    """Ask Polars, which answers some damage with a panic of its Rust side."""
    try:
        return question()
    except DAMAGED as error:
        raise _damaged(str(error).partition("\n")[0][:200] or type(error).__name__) from None


def _damaged(words: str) -> DataInvalid:
    return DataInvalid(f"the Parquet file is damaged: {words}", hint="write it again; nothing was written")


def _refuse_options_of_text(options: ImportOptions) -> None:
    given = {
        "--separator": options.separator is not None,
        "--no-header": options.no_header,
        "--skip-lines": options.skip_lines is not None,
        "--thousands": options.thousands is not None,
        "--decimal-comma": options.decimal_comma,
    }
    needless = next((name for name, is_given in given.items() if is_given), None)
    if needless is not None:
        raise DataInvalid(
            "a Parquet file has no text to be read in several ways", hint=f"leave {needless} out"
        )


def _refuse_type(name: str, column: str, kind: pl.DataType) -> None:
    is_text = kind == pl.String or isinstance(kind, pl.Categorical | pl.Enum)
    if name == SYMBOL:
        fits = is_text
    elif name == "time":
        is_count = kind.is_integer() or kind.is_float()
        fits = kind in (pl.String, pl.Date) or isinstance(kind, pl.Datetime) or is_count
    else:
        fits = kind.is_numeric()
    if not fits:
        words = f"column `{column}` is of type `{str(kind)[:80]}`, from which no {name} is read"
        raise DataInvalid(words, hint="prices are numbers, times are datetimes, dates, text or Unix times")
