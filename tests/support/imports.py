"""Importing text or bytes as if they were a file, in portions as small as a test wants."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from ktrdr.market_data.bar_import import BarImport
from ktrdr.market_data.bars import empty_bars
from ktrdr.market_data.import_options import ImportOptions, Portions
from ktrdr.market_data.importing.report import ImportReport
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore

NOW = datetime(2024, 6, 1, tzinfo=UTC)
OPTIONS = ImportOptions("1d", NOW, "X")
SMALL = Portions(block=64, rows=3, held=5)


@dataclass(frozen=True)
class Imported:
    """What an import told, its bars by symbol, and every line it set aside."""

    report: ImportReport
    bars: dict[str, pl.DataFrame]
    refused: Sequence[str]


class Importer:
    """Imports into memory, or into a store, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "upload"

    def __call__(
        self, data: str | bytes, portions: Portions = SMALL, store: BarStore | None = None, **asked: object
    ) -> Imported:
        if data:
            self.file.write_bytes(data.encode() if isinstance(data, str) else data)
        else:
            self.file.touch()
        # mypy cannot check options that a test names freely
        options, refusals = replace(OPTIONS, **asked), self.folder / "refused.csv"  # type: ignore[arg-type]
        importing = BarImport(
            self.file, options, self.folder, lambda _: None, refusals=refusals, portions=portions
        )
        try:
            report = importing.read()
            if store is not None:
                for symbol, frames in importing.series():
                    store.replace(Series("import", symbol, options.timeframe), frames)
            bars = {symbol: pl.concat([empty_bars(), *frames]) for symbol, frames in importing.series()}
        finally:
            importing.close()
        return Imported(report, bars, refusals.read_text().splitlines()[1:])
