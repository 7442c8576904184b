"""Changes of a series' files: new ones first, the sidecar last, and then away with what it does not name."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
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
)
from ktrdr.market_data.bars import SCHEMA, empty_bars, end_of_bar
from ktrdr.market_data.holes import Holes, Judge
from ktrdr.market_data.intervals import Interval, Intervals
from ktrdr.market_data.joining import Joining
from ktrdr.market_data.part_writer import writing_parts
from ktrdr.market_data.series_meta import META, BarFile, DataDamaged, SeriesMeta, read_meta, write_meta


def written(folder: Path, frames: Iterable[pl.DataFrame], timeframe: str) -> dict[str, BarFile]:
    """Write the files that frames of bars belong to, one frame at a time."""
    with writing_parts(folder, timeframe) as writer:
        for frame in frames:
            for part in by_file(frame, timeframe):
                writer.write(part)
    return writer.files


def replaced(meta: SeriesMeta, files: Mapping[str, BarFile]) -> SeriesMeta:
    """Return a series that has these files and nothing else."""
    covered = Intervals([reach(files, meta.series.timeframe)])
    return replace(meta, files=files, covered=covered, origin=origin_of(files))


def added(folder: Path, meta: SeriesMeta, frames: Iterable[pl.DataFrame], joining: Joining) -> SeriesMeta:
    """Write the files that frames of bars are joined with, and return the grown series.

    What was made of a series knows by its origin when bars changed that were covered before.
    """
    timeframe, files = meta.series.timeframe, dict(meta.files)
    arrived, is_other = Intervals(), False
    with writing_parts(folder, timeframe) as writer:
        for part in (part for frame in frames for part in by_file(frame, timeframe)):
            old = _files_of(part, meta)
            before = joining.counts
            stored = _read(folder, old)
            bars = joining.join(stored, part)
            found = joining.counts
            if found.differing or (found.new, found.learned) == (before.new, before.learned):
                continue
            files = {name: file for name, file in files.items() if name not in old}
            writer.write(bars)
            span = Interval(part["time"][0], end_of_bar(part["time"][-1], timeframe))
            is_other |= found.learned > before.learned or _has_new_within(meta.covered, stored, part)
            arrived = arrived.union(Intervals([span]))
    files |= writer.files
    joining.refuse_differing()
    origin = origin_of(files) if is_other or not meta.origin else meta.origin
    reached = _hull(arrived)
    return replace(
        meta,
        files=dict(sorted(files.items())),
        covered=meta.covered.union(reached),
        empty=meta.empty.subtract(reached),
        origin=origin,
    )


def _has_new_within(covered: Intervals, stored: pl.DataFrame, part: pl.DataFrame) -> bool:
    fresh = part.join(stored, on="time", how="anti")
    return any(not fresh.filter(inside(each)).is_empty() for each in covered)


def _files_of(bars: pl.DataFrame, meta: SeriesMeta) -> dict[str, BarFile]:
    names = tuple(f"{name}-" for name in file_names(bars, meta.series.timeframe))
    return {name: file for name, file in meta.files.items() if name.startswith(names)}


def _read(folder: Path, files: Mapping[str, BarFile]) -> pl.DataFrame:
    return pl.concat([empty_bars(), *(read_part(folder / name, file) for name, file in files.items())])


def _hull(covered: Intervals) -> Intervals:
    parts = list(covered)
    return Intervals([Interval(parts[0].start, parts[-1].end)] if parts else [])


def reach(files: Mapping[str, BarFile], timeframe: str) -> Interval:
    """Return from when to when files have bars."""
    spans = [_span(each, timeframe) for each in files.values()]
    return Interval(min(each.start for each in spans), max(each.end for each in spans))


def extended(meta: SeriesMeta, covered: Interval, bars: pl.DataFrame, begins: datetime | None) -> SeriesMeta:
    """Return what is known of a series when an interval was fetched: it has bars, or is known to be empty."""
    fetched, nothing = Intervals([covered]), Intervals()
    found, missing = (fetched, nothing) if bars.height else (nothing, fetched)
    return replace(
        meta,
        begins=begins or meta.begins,
        covered=meta.covered.subtract(fetched).union(found),
        empty=meta.empty.subtract(fetched).union(missing),
    )


def change(folder: Path, meta: SeriesMeta, bars: pl.DataFrame, within: Interval, judge: Judge) -> None:
    """Put bars in place of those of an interval; files that neither touches stay as they are.

    What is missing is judged anew around what changed, and everywhere if it was never judged.
    """
    timeframe = meta.series.timeframe
    beside_bars = _files_of(bars, meta)
    touched = {
        name: file for name, file in meta.files.items() if overlaps(file, within) or name in beside_bars
    }
    kept = _read(folder, touched).filter(~inside(within))
    whole = pl.concat([kept, bars.select(list(SCHEMA))]).sort("time")
    files = {name: file for name, file in meta.files.items() if name not in touched}
    beside = sorted(files.values(), key=lambda file: file.first)
    files |= written(folder, [whole], timeframe)
    grown = replace(meta, files=dict(sorted(files.items())))
    if meta.holes is None:
        holes = judge(times_of(folder, grown.files))
    else:
        holes = _judged_around(meta.holes, _with_neighbours(beside, whole["time"], within), judge)
    write_meta(folder, replace(grown, holes=holes))
    remove_strangers(folder, grown)


def times_of(folder: Path, files: Mapping[str, BarFile]) -> pl.Series:
    """Return the times [n] of all bars of some files, in order; raises DataDamaged as reading does."""
    ordered = sorted(files.items(), key=lambda each: each[1].first)
    parts = [read_part(folder / name, file)["time"] for name, file in ordered]
    return pl.concat([empty_bars()["time"], *parts])


def _with_neighbours(beside: Sequence[BarFile], times: pl.Series, within: Interval) -> pl.Series:
    """Return times [n] with the last one before and the first one after them, or an interval without any."""
    first, last = (times[0], times[-1]) if len(times) else (within.start, within.start)
    before = [file.last for file in beside if file.last < first][-1:]
    after = [file.first for file in beside if file.first > last][:1]
    return pl.Series("time", [*before, *times, *after], times.dtype)


def _judged_around(known: Holes, times: pl.Series, judge: Judge) -> Holes | None:
    if times.is_empty():
        return known
    found = judge(times)
    return None if found is None else known.put(Interval(times[0], times[-1]), found)


def remove_leftovers(folder: Path) -> None:
    """Remove the files that no change finished; all stay beside a sidecar that cannot be read."""
    if not (folder / META).exists():
        remove_strangers(folder, None)
    with suppress(DataDamaged):
        remove_strangers(folder, read_meta(folder))


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
