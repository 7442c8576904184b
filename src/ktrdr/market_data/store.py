"""Bars on disk: Parquet by year (by month for 1m), and a sidecar that vouches for every file."""

import os
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import polars as pl

from ktrdr.atomic_files import sync_directory
from ktrdr.errors import NotFound
from ktrdr.file_locks import exclusive_lock, patient_lock, shared_lock
from ktrdr.market_data.bar_files import (
    DAMAGED,
    OpenPart,
    only_within,
    open_part,
    overlaps,
    read_parts,
    remove_damaged,
    remove_strangers,
)
from ktrdr.market_data.bars import empty_bars
from ktrdr.market_data.holes import Holes, Judge, bridged, nobody_knows
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.joining import JoinCounts, Joining
from ktrdr.market_data.series_changes import (
    added,
    change,
    extended,
    origin_of,
    remove_leftovers,
    replaced,
    set_aside_damaged,
    times_of,
    written,
)
from ktrdr.market_data.series_folder import folder_name
from ktrdr.market_data.series_meta import (
    META,
    Series,
    SeriesInfo,
    SeriesMeta,
    Terms,
    busy,
    listed,
    meta_or_none,
    read_meta,
    refuse_other_terms,
    write_meta,
)

LOCK = ".lock"
MOMENT = timedelta(microseconds=1)


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

    def size(self, series: Series) -> int:
        """Return how many bytes the files of a series take; raises as `meta` does."""
        with self._opened(series, None) as parts:
            return sum(os.fstat(each.stream.fileno()).st_size for each in parts)

    def read(self, series: Series, within: Interval | None = None) -> pl.DataFrame:
        """Return the bars, of an interval if one is given; only the files it touches are opened.

        Raises DataDamaged, naming the file, if one is not what was written.
        """
        with self._opened(series, within) as parts:
            return only_within(read_parts(parts), parts, within)

    def scan(self, series: Series, within: Interval | None = None) -> Iterator[pl.DataFrame]:
        """Yield the bars in order of time, a file at a time, as `read` returns them.

        The files are opened at once: whoever changes the series meanwhile changes nothing of what is read.
        """
        with self._opened(series, within) as parts:
            for part in parts:
                yield only_within(read_parts([part]), [part], within)

    def times(self, series: Series) -> pl.Series:
        """Return the times [n] of all bars; raises as `read` does."""
        return pl.concat([empty_bars()["time"], *(each["time"] for each in self.scan(series))])

    def replace(
        self,
        series: Series,
        frames: Iterable[pl.DataFrame],
        terms: Terms = Terms(),  # noqa: B008  # frozen
        wait: Callable[[float], None] = time.sleep,
        *,
        judge: Judge = nobody_knows,
    ) -> None:
        """Replace the series durably by frames that are in order of time; only one of them is held at a time.

        A reader sees the old or the new one; when making a frame raises, the series stays as it was. What is
        covered reaches from the first bar to the end of the last. `wait(seconds)` is called while somebody
        loads the series; `judge` tells what is missing.
        """
        with self._rewriting(series, wait) as folder:
            files = written(folder, frames, series.timeframe)
            self._keep(folder, replaced(SeriesMeta(series, terms), files), judge)

    def add(
        self,
        series: Series,
        frames: Iterable[pl.DataFrame],
        terms: Terms,
        wait: Callable[[float], None] = time.sleep,
        *,
        judge: Judge = nobody_knows,
    ) -> JoinCounts:
        """Join frames of whole files, in order of time, with what is stored; else as `replace` does.

        Raises DataInvalid, and the series stays as it was, if a bar differs from the stored one of its time.
        """
        with self._rewriting(series, wait) as folder:
            before = self.meta(series) if self.has(series) else SeriesMeta(series)
            joining = Joining(series)
            self._keep(folder, added(folder, replace(before, terms=terms), frames, joining), judge)
        return joining.counts

    def compare(self, series: Series, frames: Iterable[pl.DataFrame]) -> JoinCounts:
        """Count what `add` would do with frames; raises as it does, and changes nothing."""
        joining = Joining(series)
        for frame in frames:
            span = Interval(frame["time"][0], frame["time"][-1] + MOMENT)
            joining.join(self.read(series, span) if self.has(series) else empty_bars(), frame)
        joining.refuse_differing()
        return joining.counts

    def extend(
        self,
        series: Series,
        bars: pl.DataFrame,
        covered: Interval,
        terms: Terms,
        *,
        begins: datetime | None = None,
        judge: Judge = nobody_knows,
    ) -> None:
        """Put in durably what there is of an interval, in place of what was; no bars are known emptiness.

        `begins` is from when on the provider says to have bars.
        Raises DataInvalid if the series is kept on other terms: two kinds of bars are never mixed.
        """
        with exclusive_lock((folder := self._folder(series)) / LOCK):
            fresh = SeriesMeta(series, terms, origin=origin_of((covered.start.isoformat(),)))
            before = read_meta(folder) if (folder / META).exists() else fresh
            refuse_other_terms(before, terms)
            change(folder, extended(before, covered, bars, begins), bars, covered, judge)

    def keep_holes(self, seen: SeriesMeta, holes: Holes) -> None:
        """Keep what a calendar misses in a series, unless its bars are others now than were seen."""
        with exclusive_lock((folder := self._folder(seen.series)) / LOCK):
            now = read_meta(folder) if self.has(seen.series) else None
            if now is not None and now.files == seen.files:
                write_meta(folder, replace(now, holes=holes))

    def delete(self, series: Series) -> SeriesMeta:
        """Delete a series durably and return what was known of it.

        Raises NotFound, or Conflict while somebody loads it; a damaged sidecar is deleted as well.
        """
        folder = self._folder(series)
        if not self.has(series):
            self.meta(series)
        with self.loading(series, busy(series)), exclusive_lock(folder / LOCK):
            was = meta_or_none(folder) if self.has(series) else self.meta(series)
            (folder / META).unlink()
            sync_directory(folder)
            remove_strangers(folder, None)
            remove_damaged(folder)
        return was or SeriesMeta(series)

    def drop_damaged(self, series: Series) -> tuple[str, ...]:
        """Set files aside that are not what was written, so that their bars can be fetched again.

        Returns their names. A series whose sidecar is damaged begins anew.
        """
        with exclusive_lock((folder := self._folder(series)) / LOCK):
            meta = meta_or_none(folder)
            if meta is None:
                (folder / META).rename(folder / f"{META}{DAMAGED}")
                return (META,)
            return set_aside_damaged(folder, meta)

    def list(self) -> tuple[SeriesInfo, ...]:
        """Return every series with bars whose sidecar can be read, by name."""
        folders = sorted(path.parent for path in self._root.glob(f"*/*/*/{META}"))
        return tuple(each for each in map(listed, folders) if each is not None)

    @contextmanager
    def loading(self, series: Series, wait: Callable[[float], None]) -> Iterator[None]:
        """Be the only one who loads the series; `wait(seconds)` is called while another one does."""
        with patient_lock(self._folder(series) / ".loading", wait):
            yield

    @contextmanager
    def _rewriting(self, series: Series, wait: Callable[[float], None]) -> Iterator[Path]:
        """Be the only one who loads a series, and leave no file beside those that its sidecar names."""
        folder = self._folder(series)
        with self.loading(series, wait):
            meta_or_none(folder)  # one of a later version is left alone
            try:
                yield folder
            finally:
                with exclusive_lock(folder / LOCK):
                    remove_leftovers(folder)

    def _keep(self, folder: Path, meta: SeriesMeta, judge: Judge) -> None:
        holes = judge(times_of(folder, meta.files)) if judge is not nobody_knows else None
        with exclusive_lock(folder / LOCK):
            write_meta(folder, replace(meta, holes=holes, covered=bridged(meta.covered, holes)))

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
