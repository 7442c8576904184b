"""CSV files of the operator's own as a source."""

from pathlib import Path
from typing import ClassVar

import polars as pl

from ktrdr.errors import DataInvalid
from ktrdr.market_data.bars import TIMEFRAME_SECONDS
from ktrdr.market_data.csv_bars import read_csv_bars
from ktrdr.market_data.providers.folder import FolderProvider

DAY = TIMEFRAME_SECONDS["1d"]


class CsvFolder(FolderProvider):
    """Files as `ktrdr data import` reads them; times without an offset are UTC."""

    ending: ClassVar[str] = "csv"
    variable: ClassVar[str] = "KTRDR_CSV_FOLDER"

    @property
    def folder(self) -> Path | None:
        """Return the operator's folder; None if there is none."""
        return self._settings.csv_folder

    def read(self, path: Path, timeframe: str) -> pl.DataFrame:
        """Return the clean bars of a file; raises DataInvalid with line and column."""
        try:
            return self._read_in(path, timeframe, None)
        except DataInvalid as error:
            if TIMEFRAME_SECONDS[timeframe] >= DAY:
                raise
            try:
                return self._read_in(path, timeframe, "UTC")
            except DataInvalid as other:
                raise (error if error.message.startswith("line") else other) from None

    def _read_in(self, path: Path, timeframe: str, tz: str | None) -> pl.DataFrame:
        return read_csv_bars(path, timeframe, now=self.clock.now(), on_progress=lambda *_: None, tz=tz).bars
