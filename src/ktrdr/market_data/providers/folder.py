"""Files of the operator's own as a source: one a series, in a folder that no name leads out of."""

import os
import stat
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import ClassVar
from urllib.parse import quote, unquote

import polars as pl

from ktrdr.clock import Clock, SystemClock
from ktrdr.errors import DataInvalid, InputInvalid
from ktrdr.market_data.bars import TIMEFRAME_SECONDS, end_of_bar
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.providers.base import BarProvider, SymbolFacts
from ktrdr.market_data.providers.settings import ProviderSettings
from ktrdr.strategies.bar_terms import Adjustment

PLAIN = "^=-"  # what stays as it is in the name of a file, beside letters, digits and `_.~`
MOST_NAMED = 20
NO_FOLLOW = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class FolderProvider(BarProvider):
    """Bars of files `SYMBOL.TIMEFRAME.ENDING`, the symbol percent-encoded: `BTC%2FUSDT.1h.csv` is BTC/USDT.

    A file is read whole when it changed, and never when it is a link.
    """

    adjustments: ClassVar[tuple[Adjustment, ...]] = ("raw",)
    ending: ClassVar[str]
    variable: ClassVar[str]
    clock: ClassVar[Clock] = SystemClock()

    def __init__(self, name: str, settings: ProviderSettings, adjustment: Adjustment) -> None:
        super().__init__(name, settings, adjustment)
        self._kept: tuple[str, int, pl.DataFrame] | None = None

    @property
    @abstractmethod
    def folder(self) -> Path | None:
        """Return the operator's folder; None if there is none."""

    @abstractmethod
    def read(self, path: Path, timeframe: str) -> pl.DataFrame:
        """Return the clean bars of a file; raises DataInvalid."""

    def look_up(self, symbol: str, timeframe: str) -> SymbolFacts:
        """Return the time of the first bar; what trades when is not known."""
        return SymbolFacts(self._bars(symbol, timeframe)["time"][0])

    def longest(self, timeframe: str) -> timedelta:  # noqa: ARG002  # all of them in one
        """Return more than there is."""
        return timedelta(days=100_000)

    def fetch(self, symbol: str, timeframe: str, within: Interval) -> pl.DataFrame:
        """Return the bars of an interval."""
        return self._bars(symbol, timeframe).filter(
            pl.col("time").is_between(within.start, within.end, "left")
        )

    def reach(self, symbol: str, timeframe: str) -> Intervals:
        """Return the time from the first bar to the end of the last: a file that grows says more later."""
        times = self._bars(symbol, timeframe)["time"]
        return Intervals([Interval(times[0], end_of_bar(times[-1], timeframe))])

    def _bars(self, symbol: str, timeframe: str) -> pl.DataFrame:
        with self._opened(symbol, timeframe) as file:
            name, changed = file_name(symbol, timeframe, self.ending), os.fstat(file).st_mtime_ns
            if self._kept is None or self._kept[:2] != (name, changed):
                self._kept = name, changed, self._read(file, name, timeframe)
            return self._kept[2]

    def _read(self, file: int, name: str, timeframe: str) -> pl.DataFrame:
        try:
            bars = self.read(Path(f"/dev/fd/{file}"), timeframe)
        except DataInvalid as error:
            raise DataInvalid(f"`{name}`: {error.message}", hint=error.hint, detail=error.detail) from None
        if bars.is_empty():
            raise DataInvalid(f"`{name}` has no bars", hint="put some in, or take the file away")
        return bars

    @contextmanager
    def _opened(self, symbol: str, timeframe: str) -> Iterator[int]:
        if self.folder is None:
            hint = f"set {self.variable} for the server, to the folder of your files"
            raise InputInvalid(f"`{self.name}` has no folder to read", hint=hint)
        path = self.folder / file_name(symbol, timeframe, self.ending)
        try:
            file = os.open(path, NO_FOLLOW)
        except (OSError, ValueError):
            raise self._not_there(symbol, timeframe, self.folder) from None
        try:
            if not stat.S_ISREG(os.fstat(file).st_mode):
                raise self._not_there(symbol, timeframe, self.folder)
            yield file
        finally:
            os.close(file)

    def _not_there(self, symbol: str, timeframe: str, folder: Path) -> DataInvalid:
        there = sorted(f"{kept} {length}" for kept, length in series_in(folder, self.ending))
        named = ", ".join(there[:MOST_NAMED]) + (
            f" and {len(there) - MOST_NAMED} more" if there[MOST_NAMED:] else ""
        )
        missing = file_name(symbol, timeframe, self.ending)
        hint = f"it has {named}" if named else f"its folder has no file as `{missing}`"
        return DataInvalid(f"`{self.name}` has no bars of {symbol} {timeframe}", hint=hint)


def file_name(symbol: str, timeframe: str, ending: str) -> str:
    """Return how the file of a series is called; it never has a part that is a folder."""
    return f"{_quoted(symbol, PLAIN)}.{_quoted(timeframe)}.{ending}"


def _quoted(name: str, plain: str = "") -> str:
    return quote(name, safe=plain, errors="surrogatepass")


def series_in(folder: Path, ending: str) -> Iterator[tuple[str, str]]:
    """Yield symbol and timeframe of the files of a folder."""
    for path in folder.glob(f"*.*.{ending}"):
        symbol, _, timeframe = path.name.removesuffix(f".{ending}").rpartition(".")
        if timeframe in TIMEFRAME_SECONDS:
            yield unquote(symbol), timeframe
