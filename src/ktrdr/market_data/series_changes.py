"""Changes of a series' files: new ones first, the sidecar last, and then away with what it does not name."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import polars as pl

from ktrdr.market_data.bar_files import (
    DAMAGED,
    by_file,
    file_names,
    inside,
    overlaps,
    read_part,
    remove_strangers,
    write_part,
)
from ktrdr.market_data.bars import SCHEMA, empty_bars, end_of_bar
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.series_meta import BarFile, DataDamaged, SeriesMeta, write_meta


def written(folder: Path, frames: Iterable[pl.DataFrame], timeframe: str) -> dict[str, BarFile]:
    """Write the files that frames of bars belong to, one frame at a time."""
    files: dict[str, BarFile] = {}
    for frame in frames:
        for part in by_file(frame, timeframe):
            files |= write_part(folder, part, timeframe)
    return files


def reach(files: Mapping[str, BarFile], timeframe: str) -> Interval:
    """Return from when to when files have bars."""
    spans = [_span(each, timeframe) for each in files.values()]
    return Interval(min(each.start for each in spans), max(each.end for each in spans))


def change(folder: Path, meta: SeriesMeta, bars: pl.DataFrame, within: Interval) -> None:
    """Put bars in place of those of an interval; files that neither touches stay as they are."""
    timeframe = meta.series.timeframe
    parts = tuple(f"{name}-" for name in file_names(bars, timeframe))
    touched = {
        name: file for name, file in meta.files.items() if overlaps(file, within) or name.startswith(parts)
    }
    old = [read_part(folder / name, file) for name, file in touched.items()]
    kept = pl.concat([empty_bars(), *old]).filter(~inside(within))
    whole = pl.concat([kept, bars.select(list(SCHEMA))]).sort("time")
    files = {name: file for name, file in meta.files.items() if name not in touched}
    files |= written(folder, [whole], timeframe)
    write_meta(folder, replace(meta, files=dict(sorted(files.items()))))
    remove_strangers(folder, replace(meta, files=files))


def origin_of(names: Iterable[str]) -> str:
    """Return what tells a series apart from another one in its place."""
    return hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:16]


def set_aside_damaged(folder: Path, meta: SeriesMeta) -> tuple[str, ...]:
    """Rename files that are not what was written, forget what they covered, and return their names."""
    broken = {name: file for name, file in meta.files.items() if not _is_whole(folder / name, file)}
    lost = Intervals(_span(file, meta.series.timeframe) for file in broken.values())
    whole = {name: file for name, file in meta.files.items() if name not in broken}
    for name in broken:
        if (folder / name).exists():
            (folder / name).rename(folder / f"{name}{DAMAGED}")
    write_meta(folder, replace(meta, covered=meta.covered.subtract(lost), files=whole))
    return tuple(broken)


def _span(file: BarFile, timeframe: str) -> Interval:
    return Interval(file.first, end_of_bar(file.last, timeframe))


def _is_whole(path: Path, file: BarFile) -> bool:
    try:
        read_part(path, file)
    except DataDamaged:
        return False
    return True
