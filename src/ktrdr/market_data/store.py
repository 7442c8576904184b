"""Imported bars on disk: Parquet by year, and a sidecar that vouches for every file."""

import fcntl
import hashlib
import io
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from urllib.parse import quote

import polars as pl

from ktrdr.atomic_files import write_bytes
from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import SCHEMA

MISFITS = (OSError, ValueError, LookupError, TypeError, AttributeError)


@dataclass(frozen=True, slots=True)
class Series:
    """Where bars come from, of what, and how long each is."""

    provider: str
    symbol: str
    timeframe: str


@dataclass(frozen=True, slots=True)
class SeriesInfo:
    """What a sidecar says of a series."""

    series: Series
    rows: int
    first: datetime
    last: datetime


class BarStore:
    """Keeps series under `root/provider/symbol/timeframe`; symbols become file names by encoding."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def has(self, series: Series) -> bool:
        """Tell whether the series was ever written."""
        return (self._folder(series) / "meta.json").exists()

    def rows(self, series: Series) -> int:
        """Return how many bars are kept of a series; 0 also where its sidecar is damaged."""
        found = _info_or_none(self._folder(series) / "meta.json")
        return found.rows if found else 0

    def read(self, series: Series) -> pl.DataFrame:
        """Return all bars; raises DataInvalid, naming the file, if one is not what was written."""
        folder = self._folder(series)
        with self._lock(folder, fcntl.LOCK_SH):
            parts = [_read_verified(folder / name, digest) for name, digest in _read_files(folder).items()]
        return pl.concat(parts).sort("time")

    def write(self, series: Series, bars: pl.DataFrame) -> None:
        """Replace the series durably; a reader sees the old or the new one."""
        folder = self._folder(series)
        with self._lock(folder, fcntl.LOCK_EX):
            files = {}
            for (year,), part in bars.group_by(pl.col("time").dt.year(), maintain_order=True):
                data = _parquet(part.select(list(SCHEMA)))
                digest = hashlib.sha256(data).hexdigest()
                name = f"{year}-{digest[:16]}.parquet"
                write_bytes(folder / name, data)
                files[name] = digest
            self._write_meta(folder, series, bars, files)
            for stale in folder.glob("*.parquet"):
                if stale.name not in files:
                    stale.unlink()

    def list(self) -> tuple[SeriesInfo, ...]:
        """Return every series whose sidecar can be read, by name."""
        paths = sorted(self._root.glob("*/*/*/meta.json"))
        return tuple(found for path in paths if (found := _info_or_none(path)))

    def _folder(self, series: Series) -> Path:
        return self._root / series.provider / _file_name(series.symbol) / series.timeframe

    def _write_meta(self, folder: Path, series: Series, bars: pl.DataFrame, files: dict[str, str]) -> None:
        meta = {
            "provider": series.provider,
            "symbol": series.symbol,
            "timeframe": series.timeframe,
            "adjustment": "raw",
            "rows": bars.height,
            "first": bars["time"][0].isoformat(),
            "last": bars["time"][-1].isoformat(),
            "files": files,
        }
        write_bytes(folder / "meta.json", json.dumps(meta, indent=1).encode())

    @contextmanager
    def _lock(self, folder: Path, mode: int) -> Iterator[None]:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as file:
            fcntl.flock(file, mode)
            yield


def _file_name(symbol: str) -> str:
    """Percent-encode everything but digits and capitals, so that no two symbols share a folder anywhere."""
    return "".join(
        each if each.isdigit() or (each.isascii() and each.isupper()) else _encoded(each) for each in symbol
    )


def _encoded(character: str) -> str:
    quoted = quote(character, safe="")
    return quoted if quoted.startswith("%") else f"%{ord(character):02X}"


def _parquet(bars: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    bars.write_parquet(buffer, compression="zstd")
    return buffer.getvalue()


def _read_verified(path: Path, digest: str) -> pl.DataFrame:
    data = path.read_bytes() if path.exists() else b""
    if hashlib.sha256(data).hexdigest() != digest:
        raise _damaged(path)
    return pl.read_parquet(io.BytesIO(data))


def _read_files(folder: Path) -> dict[str, str]:
    """Return the sha256 of every file of a series, from its sidecar."""
    path = folder / "meta.json"
    try:
        return {str(name): str(digest) for name, digest in json.loads(path.read_bytes())["files"].items()}
    except MISFITS:
        raise _damaged(path) from None


def _damaged(path: Path) -> DataInvalid:
    return DataInvalid(f"`{path.name}` in `{path.parent}` is damaged", hint="import the bars again")


def _info_or_none(path: Path) -> SeriesInfo | None:
    try:
        meta = json.loads(path.read_bytes())
        series = Series(meta["provider"], meta["symbol"], meta["timeframe"])
        first, last = (datetime.fromisoformat(meta[name]) for name in ("first", "last"))
        return SeriesInfo(series, int(meta["rows"]), first, last)
    except MISFITS:
        return None
