"""The sidecar of a series: what it is, what of it is there, and a sha256 that vouches for every file."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from ktrdr.atomic_files import write_bytes
from ktrdr.errors import DataInvalid
from ktrdr.market_data.intervals import Intervals

MISFITS = (OSError, ValueError, LookupError, TypeError, AttributeError)
META = "meta.json"


@dataclass(frozen=True, slots=True)
class Series:
    """Where bars come from, of what, and how long each is."""

    provider: str
    symbol: str
    timeframe: str


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What a list tells of a series."""

    series: Series
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
    order of time.
    """

    series: Series
    adjustment: str
    covered: Intervals = field(default_factory=Intervals)
    empty: Intervals = field(default_factory=Intervals)
    files: Mapping[str, BarFile] = field(default_factory=dict)

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
    series = meta.series
    shape = {
        "provider": series.provider,
        "symbol": series.symbol,
        "timeframe": series.timeframe,
        "adjustment": meta.adjustment,
        "covered": meta.covered.to_json(),
        "empty": meta.empty.to_json(),
        "files": {name: _file_shape(file) for name, file in meta.files.items()},
    }
    write_bytes(folder / META, json.dumps(shape, indent=1).encode())


def read_meta(folder: Path) -> SeriesMeta:
    """Read the sidecar of a folder; raises DataInvalid for one that is none."""
    path = folder / META
    try:
        shape = json.loads(path.read_bytes())
        return SeriesMeta(
            Series(str(shape["provider"]), str(shape["symbol"]), str(shape["timeframe"])),
            str(shape["adjustment"]),
            Intervals.from_json(shape["covered"]),
            Intervals.from_json(shape["empty"]),
            {str(name): _read_file(file) for name, file in shape["files"].items()},
        )
    except MISFITS:
        raise damaged(path) from None


def _file_shape(file: BarFile) -> dict[str, object]:
    times = {"first": file.first.isoformat(), "last": file.last.isoformat()}
    return {"sha256": file.sha256, "rows": file.rows, **times}


def _read_file(shape: Mapping[str, object]) -> BarFile:
    first, last = (datetime.fromisoformat(str(shape[name])) for name in ("first", "last"))
    return BarFile(str(shape["sha256"]), int(str(shape["rows"])), first, last)


def damaged(path: Path) -> DataInvalid:
    """Return the error of a file that is not what was written."""
    return DataInvalid(f"`{path.name}` in `{path.parent}` is damaged", hint="import or load the bars again")
