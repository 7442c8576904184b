"""Bars on disk: Parquet by year (by month for 1m), and a sidecar that vouches for every file."""

import fcntl
import hashlib
import io
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import polars as pl

from ktrdr.atomic_files import write_bytes
from ktrdr.errors import DataInvalid, NotFound
from ktrdr.market_data.bars import SCHEMA, empty_bars, end_of_last
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.series_meta import (
    META,
    BarFile,
    Series,
    SeriesInfo,
    SeriesMeta,
    damaged,
    read_meta,
    write_meta,
)

WAIT_FOR_OTHERS = 0.1


class BarStore:
    """Keeps series under `root/provider/symbol/timeframe`; symbols become file names by encoding."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, series: Series) -> bool:
        """Tell whether the series was ever written."""
        return (self._folder(series) / META).exists()

    def meta(self, series: Series) -> SeriesMeta:
        """Return what is known of a series; raises NotFound, or DataInvalid if its sidecar is damaged."""
        if not self.has(series):
            raise NotFound(f"there are no bars of {series.symbol} {series.timeframe} from {series.provider}")
        return read_meta(self._folder(series))

    def rows(self, series: Series) -> int:
        """Return how many bars are kept of a series; 0 also where its sidecar is damaged."""
        found = _meta_or_none(self._folder(series))
        return found.rows if found else 0

    def read(self, series: Series, within: Interval | None = None) -> pl.DataFrame:
        """Return the bars, of an interval if one is given; only the files it touches are opened.

        Raises DataInvalid, naming the file, if one is not what was written.
        """
        folder = self._folder(series)
        with self._lock(folder, fcntl.LOCK_SH):
            files = read_meta(folder).files.items()
            parts = [
                _read_verified(folder / name, file)
                for name, file in files
                if within is None or _overlaps(file, within)
            ]
        bars = pl.concat([empty_bars(), *parts]).sort("time")
        return bars if within is None else bars.filter(_inside(within))

    def write(self, series: Series, bars: pl.DataFrame, adjustment: str = "raw") -> None:
        """Replace the series durably; a reader sees the old or the new one."""
        covered = Interval(bars["time"][0], end_of_last(bars, series.timeframe))
        with self._lock(self._folder(series), fcntl.LOCK_EX) as folder:
            meta = SeriesMeta(series, adjustment, covered=Intervals([covered]))
            _write_files(folder, meta, bars.select(list(SCHEMA)))

    def extend(self, series: Series, bars: pl.DataFrame, covered: Interval, adjustment: str) -> None:
        """Put in durably what there is of an interval, in place of what was; no bars are known emptiness.

        Raises DataInvalid if the series is kept in another adjustment: two are never mixed.
        """
        with self._lock(self._folder(series), fcntl.LOCK_EX) as folder:
            before = read_meta(folder) if (folder / META).exists() else SeriesMeta(series, adjustment)
            if before.adjustment != adjustment:
                raise DataInvalid(f"{series.symbol} is kept as `{before.adjustment}`, not `{adjustment}`")
            fetched, nothing = Intervals([covered]), Intervals()
            found, missing = (fetched, nothing) if bars.height else (nothing, fetched)
            grown = replace(
                before,
                covered=before.covered.subtract(fetched).union(found),
                empty=before.empty.subtract(fetched).union(missing),
            )
            _change(folder, grown, bars, covered)

    def list(self) -> tuple[SeriesInfo, ...]:
        """Return every series with bars whose sidecar can be read, by name."""
        folders = sorted(path.parent for path in self._root.glob(f"*/*/*/{META}"))
        found = (_meta_or_none(folder) for folder in folders)
        return tuple(
            SeriesInfo(each.series, each.rows, each.first, each.last)
            for each in found
            if each and each.first and each.last
        )

    @contextmanager
    def loading(self, series: Series, wait: Callable[[float], None]) -> Iterator[None]:
        """Be the only one who loads the series; `wait(seconds)` is called while another one does."""
        folder = self._folder(series)
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".loading").open("w") as file:
            while not _is_locked(file.fileno()):
                wait(WAIT_FOR_OTHERS)
            yield

    def _folder(self, series: Series) -> Path:
        return self._root / series.provider / _file_name(series.symbol) / series.timeframe

    @contextmanager
    def _lock(self, folder: Path, mode: int) -> Iterator[Path]:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as file:
            fcntl.flock(file, mode)
            yield folder


def _is_locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _change(folder: Path, meta: SeriesMeta, bars: pl.DataFrame, within: Interval) -> None:
    """Put bars in place of those of an interval; files that neither touches stay as they are."""
    parts = {f"{part}-" for (part,), _ in bars.group_by(_part(meta.series.timeframe))}
    touched = {
        name: file
        for name, file in meta.files.items()
        if _overlaps(file, within) or any(name.startswith(part) for part in parts)
    }
    old = [_read_verified(folder / name, file) for name, file in touched.items()]
    kept = pl.concat([empty_bars(), *old]).filter(~_inside(within))
    untouched = {name: file for name, file in meta.files.items() if name not in touched}
    whole = pl.concat([kept, bars.select(list(SCHEMA))]).sort("time")
    _write_files(folder, replace(meta, files=untouched), whole)


def _write_files(folder: Path, meta: SeriesMeta, bars: pl.DataFrame) -> None:
    """Write bars as files beside those of the sidecar, then it, then remove what it does not name."""
    files = dict(meta.files)
    for (part,), rows in bars.group_by(_part(meta.series.timeframe), maintain_order=True):
        data = _parquet(rows)
        digest = hashlib.sha256(data).hexdigest()
        name = f"{part}-{digest[:16]}.parquet"
        write_bytes(folder / name, data)
        files[name] = BarFile(digest, rows.height, rows["time"][0], rows["time"][-1])
    write_meta(folder, replace(meta, files=dict(sorted(files.items()))))
    for stale in folder.glob("*.parquet"):
        if stale.name not in files:
            stale.unlink()


def _part(timeframe: str) -> pl.Expr:
    """Return which file a bar belongs to: a year's, or a month's where there are many."""
    return pl.col("time").dt.strftime("%Y%m" if timeframe == "1m" else "%Y")


def _inside(within: Interval) -> pl.Expr:
    return (pl.col("time") >= within.start) & (pl.col("time") < within.end)


def _overlaps(file: BarFile, within: Interval) -> bool:
    return file.first < within.end and file.last >= within.start


def _file_name(name: str) -> str:
    """Percent-encode everything but digits and capitals, so that no two symbols share a folder anywhere."""
    return "".join(
        each if each.isdigit() or (each.isascii() and each.isupper()) else _encoded(each) for each in name
    )


def _encoded(character: str) -> str:
    quoted = quote(character, safe="")
    return quoted if quoted.startswith("%") else f"%{ord(character):02X}"


def _parquet(bars: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    bars.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _read_verified(path: Path, file: BarFile) -> pl.DataFrame:
    data = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(data).hexdigest() != file.sha256:
        raise damaged(path)
    return pl.read_parquet(io.BytesIO(data))


def _meta_or_none(folder: Path) -> SeriesMeta | None:
    try:
        return read_meta(folder)
    except DataInvalid:
        return None
