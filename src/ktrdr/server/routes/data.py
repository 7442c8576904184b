"""Routes of stored bars: which there are, what of them is covered, the bars themselves, and their end."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from itertools import chain
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi.responses import Response, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from ktrdr.errors import Conflict, InputInvalid
from ktrdr.market_data.bar_export import csv_pieces, parquet_pieces
from ktrdr.market_data.bar_pages import grouped_bars, newest_bars
from ktrdr.market_data.bars import day_range
from ktrdr.market_data.intervals import Interval
from ktrdr.market_data.sample import sample_series
from ktrdr.market_data.series_choice import choose_series
from ktrdr.market_data.series_meta import Series, SeriesInfo, SeriesMeta
from ktrdr.market_data.store import BarStore
from ktrdr.server.problems import problem
from ktrdr.strategies.bar_terms import Day
from ktrdr.strategies.provider_name import ProviderName
from ktrdr.strategies.strategy import Symbol, Timeframe

MOST_BARS = 5000
EXPORTS: Mapping[str, tuple[str, Callable[[BarStore, Series, Interval], Iterator[bytes]]]] = {
    "csv": ("text/csv; charset=utf-8", csv_pieces),
    "parquet": ("application/vnd.apache.parquet", parquet_pieces),
}


class SeriesQuery(BaseModel):
    """Which series; without a provider the one that is meant is chosen, or the choice is asked for."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    symbol: Symbol
    timeframe: Timeframe = "1d"
    provider: ProviderName | None = None

    def series(self, store: BarStore, *, imports_first: bool = True) -> Series:
        """Return the series that is meant; raises NotFound and InputInvalid."""
        return choose_series(store, self.symbol, self.timeframe, self.provider, imports_first=imports_first)


class RangeQuery(SeriesQuery):
    """Which bars of a series, by an inclusive range of dates."""

    start: Day | None = None
    end: Day | None = None

    @property
    def within(self) -> Interval:
        """Return the moments of the dates; raises InputInvalid for a range that is none."""
        if self.start and self.end and self.start > self.end:
            raise InputInvalid(f"the range ends ({self.end}) before it starts ({self.start})")
        return day_range(self.start, self.end)


class BarsQuery(RangeQuery):
    """How many of them: the newest `limit`, or all in so many groups as `points` says."""

    limit: int = Field(default=100, ge=1, le=MOST_BARS)
    points: int | None = Field(default=None, ge=1, le=MOST_BARS)


class ExportQuery(RangeQuery):
    """As what kind of file."""

    format: Literal["csv", "parquet"] = "csv"


def data_router(store: BarStore) -> APIRouter:
    """Return the routes over the store of bars."""
    router = APIRouter(prefix="/api/v1/data", tags=["data"])

    @router.get("")
    def every_series() -> dict[str, Any]:
        """Return every series in the store, and those of the sample that are not in it yet."""
        kept = store.list()
        loaded = {each.series for each in kept}
        built_in = [each for each in sample_series() if each.series not in loaded]
        shapes = [_info_shape(each) for each in kept]
        return {"success": True, "data": shapes + [_info_shape(each, built_in=True) for each in built_in]}

    @router.get("/series")
    def series(query: Annotated[SeriesQuery, Query()]) -> dict[str, Any]:
        """Return what is known of one series: its terms, and what of it is covered or known to be empty."""
        chosen = query.series(store)
        return {"success": True, "data": {**_meta_shape(store.meta(chosen)), "bytes": store.size(chosen)}}

    @router.get("/bars")
    def bars(query: Annotated[BarsQuery, Query()]) -> dict[str, Any]:
        """Return the newest bars of a range, or all of it thinned into groups, in order of time."""
        within, chosen = query.within, query.series(store)
        if query.points is None:
            found = newest_bars(store, chosen, within, query.limit)
        else:
            found = grouped_bars(store, chosen, within, query.points)
        shape = {**_meta_shape(store.meta(chosen)), "bars": list(map(_plain, found.iter_rows(named=True)))}
        return {"success": True, "data": shape}

    @router.get("/export", response_class=StreamingResponse)
    def export(query: Annotated[ExportQuery, Query()]) -> StreamingResponse:
        """Stream the bars of a range as one file."""
        media_type, pieces_of = EXPORTS[query.format]
        pieces = pieces_of(store, query.series(store), query.within)
        whole = chain([next(pieces)], pieces)  # what cannot be exported is told before the answer begins
        headers = {"Content-Disposition": f'attachment; filename="bars.{query.format}"'}
        return StreamingResponse(whole, media_type=media_type, headers=headers)

    @router.delete("/series", response_model=None)
    def delete(query: Annotated[SeriesQuery, Query()]) -> dict[str, Any] | Response:
        """Delete one series and return what was known of it; 409 while it is being loaded."""
        try:
            series = query.series(store, imports_first=False)
            return {"success": True, "data": _meta_shape(store.delete(series))}
        except Conflict as error:
            return problem(409, "It is in use", error.message, hint=error.hint)

    return router


def _info_shape(info: SeriesInfo, *, built_in: bool = False) -> dict[str, Any]:
    return {
        **asdict(info.series),
        **asdict(info.terms),
        "rows": info.rows,
        "first": info.first.isoformat(),
        "last": info.last.isoformat(),
        "built_in": built_in,
    }


def _meta_shape(meta: SeriesMeta) -> dict[str, Any]:
    return {
        **asdict(meta.series),
        **asdict(meta.terms),
        "rows": meta.rows,
        "first": meta.first.isoformat() if meta.first else None,
        "last": meta.last.isoformat() if meta.last else None,
        "covered": meta.covered.to_json(),
        "empty": meta.empty.to_json(),
        "files": len(meta.files),
    }


def _plain(bar: dict[str, Any]) -> dict[str, Any]:
    return {**bar, "time": bar["time"].isoformat()}
