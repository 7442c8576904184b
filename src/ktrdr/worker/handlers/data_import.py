"""Import: one's own CSV file becomes bars in the store, whole or not at all."""

from ktrdr.clock import SystemClock
from ktrdr.errors import DataInvalid
from ktrdr.kinds.data_import import DataImportRequest, DataImportResult
from ktrdr.market_data.csv_bars import ImportedBars, read_csv_bars
from ktrdr.market_data.load import IMPORTED
from ktrdr.market_data.series_meta import Series
from ktrdr.market_data.store import BarStore
from ktrdr.operations.context import OperationContext
from ktrdr.operations.progress import PhaseProgress
from ktrdr.worker.folders import Folders

PHASES = (PhaseProgress("Read", 0.9), PhaseProgress("Store", 0.1))


def handle(request: DataImportRequest, context: OperationContext, folders: Folders) -> DataImportResult:
    """Read, check and store the bars of an uploaded file; the upload is gone afterwards."""
    context.plan(PHASES)
    context.enter("Read", request.file_name)
    imported = _read(request, context, folders)
    context.enter("Store", f"{imported.bars.height:,} bars")
    store, series = BarStore(folders.bars), Series(IMPORTED, request.symbol, request.timeframe)
    replaced = store.rows(series)
    store.write(series, imported.bars)
    return DataImportResult(
        symbol=request.symbol,
        timeframe=request.timeframe,
        bars=imported.bars.height,
        first=imported.bars["time"][0],
        last=imported.bars["time"][-1],
        duplicates_dropped=imported.duplicates,
        ignored_columns=imported.ignored,
        replaced_bars=replaced,
    )


def _read(request: DataImportRequest, context: OperationContext, folders: Folders) -> ImportedBars:
    file = context.work_folder / "upload.csv"
    folders.claim_upload(request.upload_id, file)
    try:
        return read_csv_bars(
            file,
            request.timeframe,
            now=SystemClock().now(),
            on_progress=lambda share: context.report(100.0 * share, request.file_name),
            columns={str(field): column for field, column in request.columns.items()},
            tz=request.tz,
        )
    except DataInvalid as error:
        words = f"{request.file_name}, {error.message}"
        raise DataInvalid(words, hint=error.hint, detail=error.detail) from None
    finally:
        file.unlink()
