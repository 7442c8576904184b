"""Bars on disk: Parquet by year (by month for 1m), and a sidecar that vouches for every file."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import polars as pl

from ktrdr.atomic_files import sync_directory
from ktrdr.errors import Conflict, NotFound
from ktrdr.file_locks import exclusive_lock, patient_lock, shared_lock
from ktrdr.market_data.bar_files import (
    DAMAGED,
    OpenPart,
    inside,
    open_part,
    overlaps,
    read_parts,
    remove_damaged,
    remove_strangers,
)
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.series_changes import change, origin_of, reach, set_aside_damaged, written
from ktrdr.market_data.series_folder import folder_name
from ktrdr.market_data.series_meta import (
    META,
    DataDamaged,
    Series,
    SeriesInfo,
    SeriesMeta,
    Terms,
    read_meta,
    refuse_other_terms,
    write_meta,
)

LOCK = ".lock"


class BarStore:
    """Keeps series under `root/provider/symbol/timeframe`; symbols become file names by encoding."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, series: Series) -> bool:
        """Tell whether the series was ever written."""
        return (self._folder(series) / META).exists()

    def meta(self, series: Series) -> SeriesMeta:
        """Return what is known of a series; raises NotFound, or DataDamaged if its sidecar is damaged."""
        if not self.has(series):
            raise NotFound(f"there are no bars of {series.symbol} {series.timeframe} from {series.provider}")
        return read_meta(self._folder(series))

    def rows(self, series: Series) -> int:
        """Return how many bars are kept of a series; 0 also where its sidecar is damaged."""
        found = _meta_or_none(self._folder(series))
        return found.rows if found else 0

    def size(self, series: Series) -> int:
        """Return how many bytes the files of a series take; raises as `meta` does."""
        with self._opened(series, None) as parts:
            return sum(os.fstat(each.stream.fileno()).st_size for each in parts)

    def read(self, series: Series, within: Interval | None = None) -> pl.DataFrame:
        """Return the bars, of an interval if one is given; only the files it touches are opened.

        Raises DataDamaged, naming the file, if one is not what was written.
        """
        with self._opened(series, within) as parts:
            return _within(read_parts(parts), parts, within)

    def scan(self, series: Series, within: Interval | None = None) -> Iterator[pl.DataFrame]:
        """Yield the bars in order of time, a file at a time, as `read` returns them.

        The files are opened at once: whoever changes the series meanwhile changes nothing of what is read.
        """
        with self._opened(series, within) as parts:
            for part in parts:
                yield _within(read_parts([part]), [part], within)

    def replace(
        self,
        series: Series,
        frames: Iterable[pl.DataFrame],
        terms: Terms = Terms(),  # noqa: B008  # frozen
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        """Replace the series durably by frames that are in order of time; only one of them is held at a time.

        A reader sees the old or the new one; when making a frame raises, the series stays as it was. What is
        covered reaches from the first bar to the end of the last. `wait(seconds)` is called while somebody
        loads the series.
        """
        folder = self._folder(series)
        with self.loading(series, wait):
            try:
                files = written(folder, frames, series.timeframe)
                covered = Intervals([reach(files, series.timeframe)])
                with exclusive_lock(folder / LOCK):
                    write_meta(
                        folder, SeriesMeta(series, terms, covered, files=files, origin=origin_of(files))
                    )
            finally:
                with exclusive_lock(folder / LOCK):
                    remove_strangers(folder, _meta_or_none(folder))

    def extend(
        self,
        series: Series,
        bars: pl.DataFrame,
        covered: Interval,
        terms: Terms,
        begins: datetime | None = None,
    ) -> None:
        """Put in durably what there is of an interval, in place of what was; no bars are known emptiness.

        `begins` is from when on the provider says to have bars.
        Raises DataInvalid if the series is kept on other terms: two kinds of bars are never mixed.
        """
        folder = self._folder(series)
        with exclusive_lock(folder / LOCK):
            fresh = SeriesMeta(series, terms, origin=origin_of((covered.start.isoformat(),)))
            before = read_meta(folder) if (folder / META).exists() else fresh
            refuse_other_terms(before, terms)
            fetched, nothing = Intervals([covered]), Intervals()
            found, missing = (fetched, nothing) if bars.height else (nothing, fetched)
            grown = replace(
                before,
                begins=begins or before.begins,
                covered=before.covered.subtract(fetched).union(found),
                empty=before.empty.subtract(fetched).union(missing),
            )
            change(folder, grown, bars, covered)

    def delete(self, series: Series) -> SeriesMeta:
        """Delete a series durably and return what was known of it.

        Raises NotFound, or Conflict while somebody loads it; a damaged sidecar is deleted as well.
        """
        folder = self._folder(series)
        if not self.has(series):
            self.meta(series)
        with self.loading(series, _busy(series)), exclusive_lock(folder / LOCK):
            was = _meta_or_none(folder) if self.has(series) else self.meta(series)
            (folder / META).unlink()
            sync_directory(folder)
            remove_strangers(folder, None)
            remove_damaged(folder)
        return was or SeriesMeta(series)

    def drop_damaged(self, series: Series) -> tuple[str, ...]:
        """Set files aside that are not what was written, so that their bars can be fetched again.

        Returns their names. A series whose sidecar is damaged begins anew.
        """
        folder = self._folder(series)
        with exclusive_lock(folder / LOCK):
            meta = _meta_or_none(folder)
            if meta is None:
                (folder / META).rename(folder / f"{META}{DAMAGED}")
                return (META,)
            return set_aside_damaged(folder, meta)

    def list(self) -> tuple[SeriesInfo, ...]:
        """Return every series with bars whose sidecar can be read, by name."""
        folders = sorted(path.parent for path in self._root.glob(f"*/*/*/{META}"))
        found = (_listed(folder) for folder in folders)
        return tuple(
            SeriesInfo(each.series, each.terms, each.rows, each.first, each.last)
            for each in found
            if each and each.first and each.last
        )

    @contextmanager
    def loading(self, series: Series, wait: Callable[[float], None]) -> Iterator[None]:
        """Be the only one who loads the series; `wait(seconds)` is called while another one does."""
        with patient_lock(self._folder(series) / ".loading", wait):
            yield

    @contextmanager
    def _opened(self, series: Series, within: Interval | None) -> Iterator[Sequence[OpenPart]]:
        """Open the files that an interval touches, in order of time."""
        folder = self._folder(series)
        with ExitStack() as opened:
            with shared_lock(folder / LOCK):
                files = sorted(read_meta(folder).files.items(), key=lambda each: each[1].first)
                parts = [
                    open_part(folder / name, file, opened)
                    for name, file in files
                    if within is None or overlaps(file, within)
                ]
            yield parts

    def _folder(self, series: Series) -> Path:
        return self._root / series.provider / folder_name(series.symbol) / series.timeframe


def _within(bars: pl.DataFrame, parts: Sequence[OpenPart], within: Interval | None) -> pl.DataFrame:
    """Return the bars of an interval; those of files that lie wholly in it are not looked at again."""
    if within is None or all(
        within.start <= each.file.first and each.file.last < within.end for each in parts
    ):
        return bars
    return bars.filter(inside(within))


def _busy(series: Series) -> Callable[[float], None]:
    def refuse(_: float) -> None:
        raise Conflict(f"{series.symbol} {series.timeframe} is being loaded", hint="cancel the load, or wait")

    return refuse


def _listed(folder: Path) -> SeriesMeta | None:
    with suppress(OSError):
        return _meta_or_none(folder)
    return None


def _meta_or_none(folder: Path) -> SeriesMeta | None:
    try:
        return read_meta(folder)
    except DataDamaged:
        return None
