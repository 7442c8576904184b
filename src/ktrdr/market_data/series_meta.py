"""The sidecar of a series: what it is, what of it is there, and a sha256 that vouches for every file."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from polars.exceptions import PolarsError

from ktrdr.atomic_files import write_bytes
from ktrdr.errors import Conflict, DataInvalid
from ktrdr.market_data.holes import Holes
from ktrdr.market_data.intervals import Intervals
from ktrdr.strategies.bar_terms import Adjustment, Hours

MISFITS = (FileNotFoundError, ValueError, LookupError, TypeError, AttributeError, PolarsError)
META = "meta.json"
MEND = "load the bars again, or import all of them again with --replace"
SHAPE = 2  # the number of this shape of a sidecar; the one before had none, and knew of no holes


@dataclass(frozen=True, slots=True)
class Series:
    """Where bars come from, of what, and how long each is."""

    provider: str
    symbol: str
    timeframe: str


@dataclass(frozen=True, slots=True)
class Terms:
    """What all bars of a series have in common, so that no two kinds of bars are ever mixed.

    How prices are adjusted, which hours of the day are kept, the trading calendar (None: not known), and the
    origin of the finer series that they were made of (None: they were not made here).
    """

    adjustment: Adjustment = "raw"
    calendar: str | None = None
    hours: Hours = "all"
    made_of: str | None = None


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What a list tells of a series."""

    series: Series
    terms: Terms
    rows: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class BarFile:
    """What vouches for one file: its sha256, its number of bars, and the times of the first and the last."""

    sha256: str
    rows: int
    first: datetime
    last: datetime


@dataclass(frozen=True, slots=True)
class SeriesMeta:
    """What a sidecar says of a series.

    `covered` was fetched and is there, `empty` was fetched and the provider has nothing; `files` by name, in
    order of time; `begins` is from when on the provider said to have bars (None: it was not asked); `origin`
    stays the same as the series grows, and is another one when it is replaced; `holes` is what a calendar
    misses between the bars (None: nobody knows).
    """

    series: Series
    terms: Terms = Terms()
    covered: Intervals = field(default_factory=Intervals)
    empty: Intervals = field(default_factory=Intervals)
    files: Mapping[str, BarFile] = field(default_factory=dict)
    begins: datetime | None = None
    origin: str = ""
    holes: Holes | None = None

    @property
    def rows(self) -> int:
        """Return how many bars there are."""
        return sum(each.rows for each in self.files.values())

    @property
    def first(self) -> datetime | None:
        """Return the time of the first bar; None without any."""
        return min((each.first for each in self.files.values()), default=None)

    @property
    def last(self) -> datetime | None:
        """Return the time of the last bar; None without any."""
        return max((each.last for each in self.files.values()), default=None)

    @property
    def known(self) -> Intervals:
        """Return what never needs to be fetched again."""
        return self.covered.union(self.empty)


def write_meta(folder: Path, meta: SeriesMeta) -> None:
    """Write the sidecar durably; it goes last, so that it never speaks of a file that is not there."""
    shape = {
        "shape": SHAPE,
        **asdict(meta.series),
        **asdict(meta.terms),
        "begins": meta.begins.isoformat() if meta.begins else None,
        "origin": meta.origin,
        "covered": meta.covered.to_json(),
        "empty": meta.empty.to_json(),
        "files": {name: _file_shape(file) for name, file in meta.files.items()},
        "holes": meta.holes.to_json() if meta.holes else None,
    }
    write_bytes(folder / META, json.dumps(shape, indent=1).encode())


def read_meta(folder: Path) -> SeriesMeta:
    """Read the sidecar of a folder.

    Raises DataDamaged for one that is none, and DataInvalid for one of a later version.
    """
    path = folder / META
    try:
        shape = json.loads(path.read_bytes())
        if int(shape.get("shape", 1)) > SHAPE:
            raise SidecarTooNew(f"`{path}` was written by a later ktrdr", hint="use that one, or a newer one")
        return SeriesMeta(
            Series(str(shape["provider"]), str(shape["symbol"]), str(shape["timeframe"])),
            _read_terms(shape),
            Intervals.from_json(shape["covered"]),
            Intervals.from_json(shape["empty"]),
            {str(name): _read_file(file) for name, file in shape["files"].items()},
            datetime.fromisoformat(shape["begins"]) if shape.get("begins") else None,
            str(shape.get("origin", "")),
            Holes.from_json(shape["holes"]) if shape.get("holes") else None,
        )
    except MISFITS:
        raise damaged(path) from None


def meta_or_none(folder: Path) -> SeriesMeta | None:
    """Read the sidecar of a folder; None for one that is damaged or gone."""
    with suppress(DataDamaged):
        return read_meta(folder)
    return None


def listed(folder: Path) -> SeriesInfo | None:
    """Return what a list tells of a folder; None without bars, and where the sidecar cannot be read."""
    with suppress(OSError, SidecarTooNew):
        found = meta_or_none(folder)
        if found and found.first and found.last:
            return SeriesInfo(found.series, found.terms, found.rows, found.first, found.last)
    return None


def _read_terms(shape: Mapping[str, Any]) -> Terms:
    """Read the terms; a sidecar of an earlier version speaks of adjustment alone."""
    terms = Terms(shape["adjustment"], shape.get("calendar"), shape.get("hours", "all"), shape.get("made_of"))
    if terms.adjustment not in get_args(Adjustment) or terms.hours not in get_args(Hours):
        raise ValueError(terms)
    return terms


def _file_shape(file: BarFile) -> dict[str, object]:
    times = {"first": file.first.isoformat(), "last": file.last.isoformat()}
    return {"sha256": file.sha256, "rows": file.rows, **times}


def _read_file(shape: Mapping[str, object]) -> BarFile:
    first, last = (datetime.fromisoformat(str(shape[name])) for name in ("first", "last"))
    return BarFile(str(shape["sha256"]), int(str(shape["rows"])), first, last)


class SidecarTooNew(DataInvalid):
    """A later version wrote the sidecar: nothing of the series is read, and nothing is changed."""


class DataDamaged(DataInvalid):
    """A file is not what was written; what it held has to be loaded or imported again."""


def damaged(path: Path) -> DataDamaged:
    """Return the error of a file that is not what was written."""
    return DataDamaged(f"`{path.name}` in `{path.parent}` is damaged", hint=MEND)


def refuse_other_terms(meta: SeriesMeta, terms: Terms) -> None:
    """Raise DataInvalid unless bars on these terms may be put into a series."""
    symbol, timeframe, kept = meta.series.symbol, meta.series.timeframe, meta.terms
    hint = f"`ktrdr data delete {symbol} --timeframe {timeframe}` first, to load it in another way"
    if kept.adjustment != terms.adjustment:
        raise DataInvalid(f"{symbol} is kept as `{kept.adjustment}`, not `{terms.adjustment}`", hint=hint)
    if kept.hours != terms.hours:
        raise DataInvalid(f"{symbol} is kept with {kept.hours} hours, not {terms.hours}", hint=hint)
    if kept.made_of != terms.made_of:
        was = "made of other bars than are there now" if terms.made_of else "made of finer bars here"
        raise DataInvalid(f"{symbol} {timeframe} was {was}", hint=hint)


def busy(series: Series) -> Callable[[float], None]:
    """Return a wait that raises Conflict: the series is being loaded by somebody else."""

    def refuse(_: float) -> None:
        raise Conflict(f"{series.symbol} {series.timeframe} is being loaded", hint="cancel the load, or wait")

    return refuse
