"""Routes of market data."""

from typing import Any

from fastapi import APIRouter

from ktrdr.market_data.sample import sample_series
from ktrdr.market_data.series_meta import SeriesInfo
from ktrdr.market_data.store import BarStore


def data_router(store: BarStore) -> APIRouter:
    """Return the route that lists series."""
    router = APIRouter(prefix="/api/v1/data", tags=["data"])

    @router.get("")
    def series() -> dict[str, Any]:
        """Return every imported series and those of the sample."""
        kept = store.list()
        loaded = {each.series for each in kept}
        built_in = [each for each in sample_series() if each.series not in loaded]
        return {"success": True, "data": [_shape(each) for each in (*kept, *built_in)]}

    return router


def _shape(info: SeriesInfo) -> dict[str, Any]:
    return {
        "provider": info.series.provider,
        "symbol": info.series.symbol,
        "timeframe": info.series.timeframe,
        "rows": info.rows,
        "first": info.first.isoformat(),
        "last": info.last.isoformat(),
    }
