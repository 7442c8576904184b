"""Parquet files of the operator's own as a source."""

from pathlib import Path
from typing import ClassVar

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import PRICES, SCHEMA, TIMEFRAME_SECONDS
from ktrdr.market_data.ingest import clean
from ktrdr.market_data.providers.folder import FolderProvider

NEEDED = ("time", *PRICES)
COLUMNS = "its columns are time (with a time zone, or dates for 1d and 1w), open, high, low, close and volume"
DAY = TIMEFRAME_SECONDS["1d"]


class ParquetFolder(FolderProvider):
    """Files with the columns time, open, high, low, close and, if known, volume; others are left out."""

    ending: ClassVar[str] = "parquet"
    variable: ClassVar[str] = "KTRDR_PARQUET_FOLDER"

    @property
    def folder(self) -> Path | None:
        """Return the operator's folder; None if there is none."""
        return self._settings.parquet_folder

    def read(self, path: Path, timeframe: str) -> pl.DataFrame:
        """Return the clean bars of a file; raises DataInvalid, counting bars from 1."""
        try:
            with path.open("rb") as file:
                kept = pl.read_parquet(file)
            bars = kept.select(_time(kept.schema, timeframe), *_numbers(kept.schema))
        except (pl.exceptions.PolarsError, OSError) as error:
            raise DataInvalid(f"it cannot be read as bars: {type(error).__name__}", hint=COLUMNS) from None
        if bars.filter(pl.col("time") > self.clock.now()).height:
            raise DataInvalid("it has bars of the future", hint="are the times in the zone they say?")
        return clean(bars)[0]


def _time(schema: pl.Schema, timeframe: str) -> pl.Expr:
    """Return the time of a bar in UTC; the dates of days and weeks are kept, whatever their zone."""
    kept = schema.get("time")
    time = pl.col("time")
    if TIMEFRAME_SECONDS[timeframe] >= DAY and kept is not None and kept.is_temporal():
        return time.dt.date().cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    if isinstance(kept, pl.Datetime) and kept.time_zone is not None:
        return time.dt.convert_time_zone("UTC").cast(SCHEMA["time"])
    raise DataInvalid("its column `time` does not say when bars opened", hint=COLUMNS)


def _numbers(schema: pl.Schema) -> list[pl.Expr]:
    missing = [name for name in NEEDED if name not in schema]
    if missing:
        raise DataInvalid(f"it has no column `{missing[0]}`", hint=COLUMNS)
    volume = pl.col("volume") if "volume" in schema else pl.lit(None)
    return [*(pl.col(name).cast(pl.Float64) for name in PRICES), volume.cast(pl.Float64).alias("volume")]
